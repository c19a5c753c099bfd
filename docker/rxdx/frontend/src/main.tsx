import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { type Requirement, requirements, type Step, trace } from "./api.ts";

/** All requirements; of the chosen one, everything from which a way leads to it. */
function Page() {
  const [all, setAll] = useState<Requirement[]>([]);
  const [chosen, setChosen] = useState<string>();
  const [steps, setSteps] = useState<Step[]>([]);
  const [problem, setProblem] = useState<string>();
  const fail = (error: Error) => setProblem(error.message);

  useEffect(() => {
    requirements().then(setAll).catch(fail);
  }, []);
  useEffect(() => {
    if (chosen) trace(chosen).then(setSteps).catch(fail);
  }, [chosen]);

  return (
    <main>
      <h1>Requirements</h1>
      {problem && <p role="alert">{problem}</p>}
      <ul>
        {all.map(({ key, title }) => (
          <li key={key}>
            <button type="button" onClick={() => setChosen(key)}>
              {key}: {title}
            </button>
            {key === chosen && (
              <ul>
                {steps.map((step) => (
                  <li key={step.key}>
                    {step.kind} {step.key}: {step.title}
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </main>
  );
}

const root = document.getElementById("root");
if (root) createRoot(root).render(<Page />);
