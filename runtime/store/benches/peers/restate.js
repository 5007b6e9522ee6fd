// The whole referral as a Restate workflow: order, letter, wait, reply, second letter, done.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http2";
import * as restate from "@restatedev/restate-sdk";

// The SDK wants Node 22; Debian's Node 20 lacks this one function of it.
Promise.withResolvers ??= () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

const [port, letters] = process.argv.slice(2);

// The vendor: whoever writes twice under one number has sent a letter twice.
const send = letters === "none" ? () => {} : (name) => appendFileSync(letters, `${name}\n`);

const referral = restate.workflow({
  name: "referral",
  handlers: {
    run: async (ctx, order) => {
      ctx.set("referral", { ...order, state: "contacting" });
      await ctx.run("first-contact", () => send(`${ctx.key}-1`));
      const reply = ctx.promise("reply").get();
      await restate.RestatePromise.race([reply, ctx.sleep({ days: 3 })]);
      ctx.set("referral", { ...order, state: "scheduled" });
      await ctx.run("visit-booked", () => send(`${ctx.key}-2`));
      return "done";
    },
    reply: async (ctx, text) => {
      await ctx.promise("reply").resolve(text);
    },
  },
});

createServer(restate.createEndpointHandler({ services: [referral] })).listen(Number(port), "127.0.0.1");
