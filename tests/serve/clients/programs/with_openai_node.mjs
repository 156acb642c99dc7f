// The official client for Node: streams, the next turn, parse().
import assert from "node:assert/strict";
import OpenAI from "openai";

const [baseURL, apiKey, schema] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "tiny";
const messages = [{ role: "user", content: "[ANA] Who left the porridge on the roof?" }];

const whole = await client.chat.completions.create({ model, messages, max_tokens: 8 });
messages.push(whole.choices[0].message, { role: "user", content: "[BO] Not me." });
const stream = client.chat.completions.stream({ model, messages, max_tokens: 8 });
assert.ok(await stream.finalContent());

const parsed = await client.chat.completions.parse({
  model, messages, max_tokens: 400,
  response_format: {
    type: "json_schema", json_schema: { name: "line", strict: true, schema: JSON.parse(schema) },
  },
});
assert.ok(["ANA", "BO"].includes(JSON.parse(parsed.choices[0].message.content).speaker));
assert.ok((await client.models.list()).data.length);
