// The official `@anthropic-ai/sdk` client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import {
  all, assertArguments, assertPerson, BASE, MODEL, PARAMETERS, PERSON, QUESTION, TOO_LONG, WEATHER,
} from './common.js';

const client = new Anthropic({ baseURL: BASE, apiKey: 'any', maxRetries: 0 });
const asked = { model: MODEL, max_tokens: 8, messages: QUESTION, system: 'Be brief.', temperature: 0 };
const TOOL = { name: 'get_weather', description: 'The weather of a city', input_schema: PARAMETERS };

test('a message is answered, counted, and the same as its stream', async () => {
  const whole = await client.messages.create(asked);
  assert.deepEqual([whole.type, whole.role, whole.stop_reason], ['message', 'assistant', 'max_tokens']);
  assert.equal(whole.usage.output_tokens, 8);
  const stream = client.messages.stream(asked);
  assert.equal(await stream.finalText(), whole.content[0].text);
  assert.equal((await stream.finalMessage()).usage.output_tokens, 8);
  const events = await all(await client.messages.create({ ...asked, stream: true }));
  assert.equal(events[0].type, 'message_start');
  assert.equal(events.at(-1).type, 'message_stop');
  const { input_tokens } = await client.messages.countTokens({ model: MODEL, messages: QUESTION, system: 'Be brief.' });
  assert.equal(input_tokens, whole.usage.input_tokens + whole.usage.cache_read_input_tokens);
});

test('a stop text ends a message, and is told', async () => {
  const whole = await client.messages.create({ ...asked, max_tokens: 20 });
  const stop = whole.content[0].text.slice(8, 12);
  const ended = await client.messages.create({ ...asked, max_tokens: 20, stop_sequences: [stop] });
  assert.deepEqual([ended.stop_reason, ended.stop_sequence], ['stop_sequence', stop]);
});

test('a message has the form of its schema', async () => {
  const output_config = { format: { type: 'json_schema', schema: PERSON } };
  const body = { model: MODEL, max_tokens: 200, messages: QUESTION, output_config };
  assertPerson(JSON.parse((await client.messages.create(body)).content[0].text));
});

test('tools are called, whole and streamed, and results go back', async () => {
  const tool_choice = { type: 'tool', name: 'get_weather', disable_parallel_tool_use: true };
  const body = { ...asked, system: undefined, max_tokens: 200, messages: WEATHER, tools: [TOOL], tool_choice };
  const whole = await client.messages.create(body);
  assert.equal(whole.stop_reason, 'tool_use');
  const call = whole.content.at(-1);
  assert.equal(call.name, 'get_weather');
  assertArguments(call.input);
  const streamed = (await client.messages.stream(body).finalMessage()).content.at(-1);
  assert.deepEqual(streamed.input, call.input);
  const messages = [
    ...WEATHER,
    { role: 'assistant', content: whole.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'rain, 9 C' }] },
  ];
  const told = await client.messages.create({ ...body, messages, max_tokens: 40, tool_choice: { type: 'none' } });
  assert.match(told.content[0].text, /9/);
});

test('errors are the client\'s own', async () => {
  const refused = async (body, type, kind, message) =>
    assert.rejects(client.messages.create({ ...asked, ...body }), (error) => {
      assert.ok(error instanceof type, String(error));
      assert.equal(error.type, kind);
      assert.match(error.message, message);
      return true;
    });
  await refused({ model: 'claude' }, Anthropic.NotFoundError, 'not_found_error', /'claude'/);
  await refused({ colour: 1 }, Anthropic.BadRequestError, 'invalid_request_error', /'colour'/);
  await refused({ container: 'x' }, Anthropic.BadRequestError, 'invalid_request_error', /'container'/);
  await refused({ messages: TOO_LONG }, Anthropic.BadRequestError, 'invalid_request_error', /4096 tokens/);
});
