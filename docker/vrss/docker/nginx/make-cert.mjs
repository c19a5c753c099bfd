// Puts a certificate where nginx looks for it: the given one (TLS_DIR), else a self-signed one made here with
// nothing but Node.js. Run again, it takes up a renewed one and leaves a good one alone.
// usage: make-cert.mjs GIVEN-FOLDER TARGET-FOLDER DOMAIN
import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

const DAY_MS = 86_400_000;
const FILES = ["fullchain.pem", "privkey.pem"];

// --- DER, as much of it as a certificate needs -----------------------------------------------------------------

const der = (tag, ...contents) => {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const hex = body.length.toString(16);
  const length = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
};
const sequence = (...contents) => der(0x30, ...contents);
const set = (...contents) => der(0x31, ...contents);
const octets = (content) => der(0x04, content);
const bits = (content, unused = 0) => der(0x03, Buffer.from([unused]), content);
const integer = (bytes) => der(0x02, bytes[0] & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
const oid = (dotted) => {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const base128 = [part & 0x7f];
    for (let n = part >> 7; n > 0; n >>= 7) base128.unshift(0x80 | (n & 0x7f));
    bytes.push(...base128);
  }
  return der(0x06, Buffer.from(bytes));
};
const time = (date) => der(0x17, Buffer.from(`${date.toISOString().replace(/\D/g, "").slice(2, 14)}Z`)); // to 2049
const TRUE = der(0x01, Buffer.from([0xff]));
const extension = (id, critical, value) => sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));

/** A self-signed certificate for the names, with its own P-256 key; both as PEM. */
function selfSigned(names, days, now = new Date()) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(oid("1.2.840.10045.4.3.2")); // ecdsa-with-SHA256
  const name = sequence(set(sequence(oid("2.5.4.3"), der(0x0c, Buffer.from(names[0])))));
  const generalNames = names.map((text) =>
    isIP(text) === 4 ? der(0x87, Buffer.from(text.split(".").map(Number))) : der(0x82, Buffer.from(text)),
  );
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40; // positive, and no leading zero byte
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm,
    name,
    sequence(time(new Date(now.getTime() - DAY_MS)), time(new Date(now.getTime() + days * DAY_MS))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(
        extension("2.5.29.19", true, sequence(TRUE)), // its own authority, so that it can be imported as one
        extension("2.5.29.15", true, bits(Buffer.from([0x84]), 2)), // signs, and signs certificates
        extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"))), // for servers
        extension("2.5.29.17", false, sequence(...generalNames)),
      ),
    ),
  );
  const certificate = sequence(body, algorithm, bits(sign("sha256", body, privateKey)));
  const lines = certificate.toString("base64").match(/.{1,64}/g).join("\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

/** What is wrong with a pair, or null. */
function problemOf(certificate, key, minDays = 0, now = Date.now()) {
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return "the key is not the certificate's";
    if (Date.parse(parsed.validTo) - now < minDays * DAY_MS) return `it ends on ${parsed.validTo}`;
    return null;
  } catch (error) {
    return `it cannot be read: ${error.message}`;
  }
}

const read = (folder) => FILES.map((file) => readFileSync(join(folder, file)));

/** The given pair; what keeps it from being read is said with the way out. */
function readGiven(folder) {
  try {
    return read(folder);
  } catch (error) {
    if (error.code === "ENOENT") throw new Error(`TLS_DIR must hold both ${FILES.join(" and ")}`);
    if (error.code !== "EACCES") throw error;
    const user = process.getuid();
    throw new Error(
      `user ${user} may not read TLS_DIR: give it the right, as with \`setfacl -m u:${user}:r privkey.pem\` or \`chown ${user} privkey.pem\``,
    );
  }
}

function publish(folder, contents) {
  // The key first, and nginx looks only once a minute: it never sees half a pair for long.
  for (const n of [1, 0]) {
    const file = join(folder, FILES[n]);
    writeFileSync(`${file}.new`, contents[n], { mode: n === 1 ? 0o600 : 0o644 });
    renameSync(`${file}.new`, file);
  }
}

function provide(given, target, domain) {
  if (FILES.some((file) => existsSync(join(given, file)))) {
    const pair = readGiven(given);
    const problem = problemOf(...pair);
    if (problem) throw new Error(`the certificate in TLS_DIR is not usable: ${problem}`);
    publish(target, pair);
    return `using the given certificate, valid to ${new X509Certificate(pair[0]).validTo}`;
  }
  const names = [...new Set([domain, "localhost", "127.0.0.1"])];
  if (FILES.every((file) => existsSync(join(target, file)))) {
    const pair = read(target);
    const fits = new X509Certificate(pair[0]).checkHost(domain) ?? new X509Certificate(pair[0]).checkIP(domain);
    if (fits && !problemOf(...pair, 30)) return `keeping the certificate of ${domain}`;
  }
  const { certificate, key } = selfSigned(names, 825);
  const problem = problemOf(certificate, key, 30);
  if (problem) throw new Error(problem);
  publish(target, [certificate, key]);
  return `made a self-signed certificate for ${names.join(", ")}; browsers will warn`;
}

try {
  const [given, target, domain] = process.argv.slice(2);
  console.log(provide(given, target, domain));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
