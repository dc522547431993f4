// The official `openai` client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import {
  all, assertArguments, assertPerson, BASE, FUNCTION, MODEL, PERSON, QUESTION, TOO_LONG, WEATHER,
} from './common.js';

const client = new OpenAI({ baseURL: `${BASE}/v1`, apiKey: 'any', maxRetries: 0 });
const chat = (body) => client.chat.completions.create({ model: MODEL, messages: QUESTION, ...body });
const joined = (pieces) => pieces.map((piece) => piece.choices[0]?.delta.content ?? '').join('');

test('models are listed and described', async () => {
  assert.deepEqual((await all(client.models.list())).map((model) => model.id), [MODEL]);
  const model = await client.models.retrieve(MODEL);
  assert.deepEqual([model.id, model.object], [MODEL, 'model']);
  await assert.rejects(client.models.retrieve('gpt-4o'), OpenAI.NotFoundError);
});

test('a chat is answered, counted, and the same as its stream', async () => {
  const body = { max_tokens: 8, temperature: 0 };
  const whole = await chat(body);
  assert.deepEqual([whole.object, whole.choices[0].finish_reason], ['chat.completion', 'length']);
  assert.equal(whole.usage.completion_tokens, 8);
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + 8);
  const pieces = await all(await chat({ ...body, stream: true, stream_options: { include_usage: true } }));
  assert.equal(joined(pieces), whole.choices[0].message.content);
  assert.equal(pieces.at(-1).usage.completion_tokens, 8);
  const runner = client.chat.completions.stream({ model: MODEL, messages: QUESTION, ...body });
  assert.equal(await runner.finalContent(), whole.choices[0].message.content);
});

test('a stream that is given up leaves the server well', async () => {
  const stream = await chat({ stream: true });
  for await (const piece of stream) {
    assert.equal(piece.object, 'chat.completion.chunk');
    break; // which aborts the request
  }
  assert.equal((await chat({ max_tokens: 2 })).usage.completion_tokens, 2);
});

test('seeds repeat, choices differ, stop texts end', async () => {
  const options = { max_tokens: 16, temperature: 1.3, seed: 7 };
  const text = async (body) => (await chat(body)).choices[0].message.content;
  const first = await text(options);
  assert.equal(await text(options), first);
  assert.notEqual(await text({ ...options, seed: 8 }), first);
  const several = (await chat({ ...options, n: 3 })).choices;
  assert.deepEqual(several.map((choice) => choice.index), [0, 1, 2]);
  assert.equal(new Set(several.map((choice) => choice.message.content)).size, 3);
  const stop = first.slice(6, 9);
  const ended = (await chat({ ...options, stop: [stop] })).choices[0];
  assert.equal(ended.finish_reason, 'stop');
  assert.equal(ended.message.content, first.slice(0, first.indexOf(stop)));
});

test('log-probabilities are those of the text', async () => {
  const body = { max_tokens: 4, temperature: 0, logprobs: true, top_logprobs: 3 };
  const choice = (await chat(body)).choices[0];
  const tokens = choice.logprobs.content;
  assert.equal(tokens.map((token) => token.token).join(''), choice.message.content);
  for (const token of tokens) {
    assert.equal(token.top_logprobs.length, 3);
    assert.equal(token.top_logprobs[0].token, token.token); // greedy
    assert.ok(token.logprob <= 0 && token.logprob >= token.top_logprobs[1].logprob);
  }
});

test('an answer has the form of its schema, and streams so', async () => {
  const response_format = { type: 'json_schema', json_schema: { name: 'person', schema: PERSON, strict: true } };
  for (const seed of [1, 2]) {
    const choice = (await chat({ response_format, temperature: 1.5, seed })).choices[0];
    assert.equal(choice.finish_reason, 'stop');
    assertPerson(JSON.parse(choice.message.content));
  }
  assertPerson(JSON.parse(joined(await all(await chat({ response_format, stream: true })))));
  const body = { model: MODEL, messages: QUESTION, response_format };
  assertPerson((await client.chat.completions.parse(body)).choices[0].message.parsed);
});

test('tools are called, whole and streamed, and results go back', async () => {
  const body = { messages: WEATHER, tools: [FUNCTION], temperature: 0, max_tokens: 200, parallel_tool_calls: false };
  const named = { type: 'function', function: { name: 'get_weather' } };
  const choice = (await chat({ ...body, tool_choice: named })).choices[0];
  assert.equal(choice.finish_reason, 'tool_calls');
  const [call] = choice.message.tool_calls;
  assert.equal(call.function.name, 'get_weather');
  assertArguments(JSON.parse(call.function.arguments));
  const runner = client.chat.completions.stream({ model: MODEL, ...body, tool_choice: 'required' });
  const streamed = await runner.finalFunctionToolCall();
  assert.equal(streamed.name, 'get_weather');
  assertArguments(JSON.parse(streamed.arguments));
  const messages = [...WEATHER, choice.message, { role: 'tool', tool_call_id: call.id, content: 'rain, 9 C' }];
  const told = await chat({ messages, tools: [FUNCTION], tool_choice: 'none', max_tokens: 40, temperature: 0 });
  assert.match(told.choices[0].message.content, /9/);
});

test('texts are completed, whole and streamed', async () => {
  const body = { model: MODEL, prompt: '1, 2, 3, 4,', max_tokens: 6, temperature: 0 };
  const whole = await client.completions.create({ ...body, logprobs: 2 });
  assert.equal(whole.object, 'text_completion');
  assert.ok(whole.choices[0].text.startsWith(' 5'), whole.choices[0].text);
  assert.equal(whole.choices[0].logprobs.tokens.join(''), whole.choices[0].text);
  const pieces = await all(await client.completions.create({ ...body, stream: true }));
  assert.equal(pieces.map((piece) => piece.choices[0].text).join(''), whole.choices[0].text);
});

test('hints are told', async () => {
  const { response } = await chat({ max_tokens: 1, user: 'me', store: false }).withResponse();
  assert.equal(response.headers.get('x-ingle-unused'), 'user, store');
});

test('errors are the client\'s own', async () => {
  const refused = async (body, type, expected) => assert.rejects(chat(body), (error) => {
    assert.ok(error instanceof type, String(error));
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, String(error));
    return true;
  });
  await refused({ model: 'gpt-4o' }, OpenAI.NotFoundError, { status: 404, code: 'model_not_found', param: 'model' });
  await refused({ colour: 1 }, OpenAI.BadRequestError, { status: 400, code: 'unknown_field', param: 'colour' });
  await refused({ prediction: {} }, OpenAI.BadRequestError, { code: 'unsupported_field', param: 'prediction' });
  await refused({ messages: TOO_LONG }, OpenAI.BadRequestError, { code: 'context_length_exceeded' });
  await refused({ temperature: 'hot' }, OpenAI.BadRequestError, { param: 'temperature' });
});
