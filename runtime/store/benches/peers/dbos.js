// The whole referral as a DBOS workflow: order, letter, wait, reply, second letter, done.
// `dbos.js URL LETTERS MODE…`, with the modes of `side.rs`.
import { appendFileSync, readFileSync } from "node:fs";
import { DBOS } from "@dbos-inc/dbos-sdk";

const began = performance.now();
const [url, letters, mode, ...rest] = process.argv.slice(2);

const ORDER = readFileSync(new URL("order.json", import.meta.url), "utf8");
const WAIT_SECONDS = 3 * 24 * 3600;

let sent = 0;

// The vendor: whoever writes twice under one number has sent a letter twice.
const send = async (name) => {
  sent += 1;
  if (letters !== "none") appendFileSync(letters, `${name}\n`);
};

const referral = DBOS.registerWorkflow(
  async (number, _order) => {
    await DBOS.runStep(() => send(`${number}-1`), { name: "first-contact" });
    await DBOS.recv("reply", WAIT_SECONDS);
    await DBOS.runStep(() => send(`${number}-2`), { name: "visit-booked" });
    return "done";
  },
  { name: "referral" },
);

const seconds = (since) => console.log((performance.now() - since) / 1000);
const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const forever = () => pause(2 ** 31 - 1);

const order = (number) => DBOS.startWorkflow(referral, { workflowID: number })(number, ORDER);

const end = async (handle) => {
  if ((await handle.getResult()) !== "done") throw new Error("not done");
};

const whole = async (number) => {
  const handle = await order(number);
  await DBOS.send(number, "yes", "reply");
  await end(handle);
};

// So many at once, each taking the next number when it is done.
const side_by_side = async (count, at_once, work) => {
  let next = 0;
  const take_turns = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: at_once }, take_turns));
};

const modes = {
  flow: async (referrals, at_once) => {
    // What it opens with the first workflow is no part of a referral.
    await whole(`${Date.now()}-first`);
    const [run, begun] = [Date.now(), performance.now()];
    await side_by_side(referrals, at_once, (number) => whole(`${run}-${number}`));
    seconds(begun);
  },
  hold: async (referrals) => {
    await side_by_side(referrals, 64, (number) => order(`held-${number}`));
    while (sent < referrals) await pause(100);
    console.log("holding");
    await forever();
  },
  ready: async (number) => {
    await whole(`after-${Date.now()}`);
    await DBOS.send(`held-${number}`, "yes", "reply");
    await end(DBOS.retrieveWorkflow(`held-${number}`));
    seconds(began);
  },
  recover: forever,
};

DBOS.setConfig({
  name: "referral",
  systemDatabaseUrl: url,
  applicationVersion: "1",
  executorID: "local",
  logLevel: "error",
});
await DBOS.launch();
await modes[mode](...rest.map(Number));
