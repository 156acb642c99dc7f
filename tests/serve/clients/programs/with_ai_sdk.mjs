// The AI SDK: texts, streams and objects.
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, jsonSchema, streamText } from "ai";

const [baseURL, apiKey, schema] = process.argv.slice(2);
const provider = createOpenAICompatible({
  name: "here", baseURL, apiKey, supportsStructuredOutputs: true, includeUsage: true,
});
const model = provider("tiny");
const prompt = "[ANA] Who left the porridge on the roof?";

const whole = await generateText({ model, prompt, maxOutputTokens: 8 });
assert.ok(whole.text);
assert.equal(whole.usage.outputTokens, 8);

const messages = [{ role: "user", content: prompt }, ...whole.response.messages,
  { role: "user", content: "[BO] Not me." }];
let text = "";
for await (const part of streamText({ model, messages, maxOutputTokens: 8 }).textStream) text += part;
assert.ok(text);

const { object } = await generateObject({
  model, prompt, schema: jsonSchema(JSON.parse(schema)), maxOutputTokens: 400, maxRetries: 0,
});
assert.ok(["ANA", "BO"].includes(object.speaker));
