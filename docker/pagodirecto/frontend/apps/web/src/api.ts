export interface Customer {
  id: string;
  name: string;
}

const base = import.meta.env.VITE_API_URL ?? "/api/v1";

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(base + path, init);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body as T;
}

/** A token for the tenant of this login. */
export async function logIn(email: string, password: string): Promise<string> {
  const body = JSON.stringify({ email, password });
  return (await ask<{ token: string }>("/auth/login", { method: "POST", body })).token;
}

/** The customers of a token's tenant. */
export async function customers(token: string): Promise<Customer[]> {
  const headers = { Authorization: `Bearer ${token}` };
  return (await ask<{ customers: Customer[] }>("/customers", { headers })).customers;
}
