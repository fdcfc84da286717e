// What a program written with OpenAI's JavaScript client does against Parlour; prints what it saw as JSON.
import { readFileSync } from "node:fs";
import OpenAI, { toFile } from "openai";

const { url, key, audio } = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const messages = [{ role: "user", content: "Hello" }];
const saw = {};

saw.models = [];
for await (const model of client.models.list()) saw.models.push(model.id);
saw.model = (await client.models.retrieve("pace-0")).id;

const whole = await client.chat.completions.create({ model: "pace-0", messages });
saw.whole = whole.choices[0].message.content;
saw.tokens = whole.usage.total_tokens;

saw.streamed = "";
const stream = await client.chat.completions.create({
  model: "pace-0",
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  saw.streamed += chunk.choices[0]?.delta?.content ?? "";
  if (chunk.usage) saw.streamedTokens = chunk.usage.total_tokens;
}

const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
const called = await client.chat.completions.create({ model: "pace-0", messages, tools });
saw.tool = called.choices[0].message.tool_calls[0].function;

const picture = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
const seen = [{ role: "user", content: [{ type: "text", text: "What is this?" }, picture] }];
saw.vision = (await client.chat.completions.create({ model: "pace-0", messages: seen })).choices[0].message.content;

const json = { model: "pace-0", messages, response_format: { type: "json_object" } };
saw.json = JSON.parse((await client.chat.completions.create(json)).choices[0].message.content);

saw.dimensions = (await client.embeddings.create({ model: "embedder", input: "Hello" })).data[0].embedding.length;

const file = await toFile(Buffer.from(audio), "talk.wav");
saw.transcript = (await client.audio.transcriptions.create({ model: "whisper-1", file })).text;

saw.errors = {};
for (const [name, model] of [["limited", "pace-0"], ["unknown", "no such model"]]) {
  try {
    await client.chat.completions.create({ model, messages });
  } catch (error) {
    saw.errors[name] = { status: error.status, code: error.code, kind: error.constructor.name };
  }
}
const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "pk-wrong", maxRetries: 0 });
await stranger.models.list().catch((error) => {
  saw.errors.stranger = { status: error.status, code: error.code, kind: error.constructor.name };
});
console.log(JSON.stringify(saw));
