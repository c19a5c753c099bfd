import { type Customer, customers, logIn } from "./api";

const form = document.querySelector("form") as HTMLFormElement;
const list = document.querySelector("ul") as HTMLUListElement;
const status = document.querySelector("p") as HTMLParagraphElement;

function show(all: Customer[]): void {
  list.replaceChildren(
    ...all.map((customer) => {
      const item = document.createElement("li");
      item.textContent = customer.name;
      return item;
    }),
  );
  status.textContent = `${all.length} customers`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = new FormData(form);
  try {
    show(await customers(await logIn(String(data.get("email")), String(data.get("password")))));
  } catch (error) {
    status.textContent = String(error);
  }
});
