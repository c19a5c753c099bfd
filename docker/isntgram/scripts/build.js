/** `dist/`: what runs in production, assets named by their content, so that browsers may keep them for good. */
import { createHash } from "node:crypto";
import { cp, readdir, readFile, rename, rm } from "node:fs/promises";

await rm("dist", { recursive: true, force: true });
for (const folder of ["api", "web", "shared"]) {
  // Seeds are for development.
  await cp(folder, `dist/${folder}`, { recursive: true, filter: (source) => source !== "api/seeds" });
}
for (const name of await readdir("dist/web/assets")) {
  const digest = createHash("sha256").update(await readFile(`dist/web/assets/${name}`)).digest("hex").slice(0, 8);
  await rename(`dist/web/assets/${name}`, `dist/web/assets/${name.replace(/(\.\w+)$/, `.${digest}$1`)}`);
}
