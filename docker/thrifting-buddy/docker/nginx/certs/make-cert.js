// Puts a certificate where nginx looks for it: the given one (TLS_DIR), else a self-signed one. Run again, it takes up
// a renewed one and leaves a good one alone.
// usage: make-cert.js GIVEN-FOLDER TARGET-FOLDER, with DOMAIN in the environment
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import selfsigned from "selfsigned";

const DAY_MS = 86_400_000;
const FILES = ["fullchain.pem", "privkey.pem"];
const [given, target] = process.argv.slice(2);
const domain = process.env.DOMAIN || "localhost";

/** What is wrong with a pair, or null. */
function problemOf([certificate, key], minDays) {
  const parsed = new X509Certificate(certificate);
  if (!parsed.checkPrivateKey(createPrivateKey(key))) return "the key is not the certificate's";
  return Date.parse(parsed.validTo) - Date.now() < minDays * DAY_MS ? `it ends on ${parsed.validTo}` : null;
}

const has = (folder) => FILES.every((file) => existsSync(join(folder, file)));
const read = (folder) => FILES.map((file) => readFileSync(join(folder, file)));

function make() {
  const key = (part, type) => part.export({ type, format: "pem" });
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const names = [...new Set([domain, "localhost"])].map((value) => ({ type: 2, value }));
  const { cert } = selfsigned.generate([{ name: "commonName", value: domain }], {
    days: 825,
    algorithm: "sha256",
    keyPair: { publicKey: key(publicKey, "spki"), privateKey: key(privateKey, "pkcs1") },
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [...names, { type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return [cert, key(privateKey, "pkcs8")];
}

function publish(pair) {
  // The key first, and nginx looks only once a minute: it never sees half a pair for long.
  for (const n of [1, 0]) {
    const file = join(target, FILES[n]);
    writeFileSync(`${file}.new`, pair[n], { mode: n === 1 ? 0o600 : 0o644 });
    renameSync(`${file}.new`, file);
  }
}

try {
  if (has(given)) {
    const problem = problemOf(read(given), 0);
    if (problem) throw new Error(`the certificate in TLS_DIR is not usable: ${problem}`);
    publish(read(given));
    console.log("using the given certificate");
  } else if (has(target) && new X509Certificate(read(target)[0]).checkHost(domain) && !problemOf(read(target), 30)) {
    console.log(`keeping the certificate of ${domain}`);
  } else {
    publish(make());
    console.log(`made a self-signed certificate for ${domain}; browsers will warn`);
  }
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
