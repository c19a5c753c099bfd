export type Requirement = { key: string; title: string };
export type Step = Requirement & { kind: string; steps: number };

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`/api${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

export const requirements = () => get<Requirement[]>("/requirements");
export const trace = (key: string) => get<Step[]>(`/requirements/${encodeURIComponent(key)}/trace`);
