// The official `ollama` client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ollama } from 'ollama';
import {
  all, assertArguments, assertPerson, BASE, FUNCTION, MODEL, PERSON, QUESTION, TOO_LONG, WEATHER,
} from './common.js';

const client = new Ollama({ host: BASE });
const options = { temperature: 0, num_predict: 6 };

test('models are listed, shown and seen in memory', async () => {
  assert.deepEqual((await client.list()).models.map((model) => model.name), [MODEL]);
  const [loaded] = (await client.ps()).models;
  assert.equal(loaded.name, MODEL);
  assert.ok(loaded.size > 0);
  const shown = await client.show({ model: MODEL });
  assert.equal(shown.model_info['qwen2.block_count'], 24);
  assert.ok(shown.capabilities.includes('tools'));
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+/);
});

test('a chat is answered, and the same as its stream', async () => {
  const whole = await client.chat({ model: MODEL, messages: QUESTION, options });
  assert.deepEqual([whole.done, whole.done_reason, whole.eval_count], [true, 'length', 6]);
  const pieces = await all(await client.chat({ model: MODEL, messages: QUESTION, options, stream: true }));
  assert.equal(pieces.map((piece) => piece.message.content).join(''), whole.message.content);
  assert.deepEqual([pieces.at(-1).done, pieces.at(-1).eval_count], [true, 6]);
  const seeded = { model: MODEL, messages: QUESTION, options: { temperature: 1.3, seed: 3, num_predict: 12 } };
  assert.equal((await client.chat(seeded)).message.content, (await client.chat(seeded)).message.content);
});

test('a stream that is given up leaves the server well', async () => {
  const stream = await client.chat({ model: MODEL, messages: QUESTION, stream: true });
  await assert.rejects(async () => {
    for await (const _ of stream) stream.abort();
  }, { name: 'AbortError' });
  assert.equal((await client.chat({ model: MODEL, messages: QUESTION, options })).eval_count, 6);
});

test('an answer has the form of its schema', async () => {
  const answer = await client.chat({ model: MODEL, messages: QUESTION, format: PERSON });
  assertPerson(JSON.parse(answer.message.content));
});

test('tools are called, whole and streamed, and results go back', async () => {
  const asked = { model: MODEL, tools: [FUNCTION], options: { temperature: 0, num_predict: 200 } };
  const called = (messages) => messages.flatMap((message) => message.tool_calls ?? []);
  const whole = await client.chat({ ...asked, messages: WEATHER });
  const pieces = await all(await client.chat({ ...asked, messages: WEATHER, stream: true }));
  // Whether to call is the model's choice here; both ways of asking have to tell the same.
  const [call] = called([whole.message]);
  assert.equal(call?.function.name, 'get_weather', whole.message.content);
  assertArguments(call.function.arguments);
  assert.deepEqual(called(pieces.map((piece) => piece.message)), [call]);
  const messages = [...WEATHER, whole.message, { role: 'tool', content: 'rain, 9 C', tool_name: 'get_weather' }];
  const told = await client.chat({ model: MODEL, messages, options: { temperature: 0, num_predict: 40 } });
  assert.match(told.message.content, /9/);
});

test('a prompt is answered, raw and through the template', async () => {
  const raw = await client.generate({ model: MODEL, prompt: '1, 2, 3,', raw: true, options });
  assert.ok(raw.response.startsWith(' 4'), raw.response);
  const asked = { model: MODEL, prompt: QUESTION[0].content, system: 'Be brief.', options };
  const whole = await client.generate(asked);
  const pieces = await all(await client.generate({ ...asked, stream: true }));
  assert.equal(pieces.map((piece) => piece.response).join(''), whole.response);
});

test('errors are the client\'s own', async () => {
  const refused = async (body, status_code, message) =>
    assert.rejects(client.chat({ model: MODEL, messages: QUESTION, ...body }), (error) => {
      assert.deepEqual([error.name, error.status_code], ['ResponseError', status_code]);
      assert.match(error.message, message);
      return true;
    });
  await refused({ model: 'none' }, 404, /'none'/);
  await refused({ colour: 1 }, 400, /'colour'/);
  await refused({ options: { tfs_z: 1 } }, 400, /'options.tfs_z'/);
  await refused({ messages: TOO_LONG }, 400, /4096 tokens/);
});
