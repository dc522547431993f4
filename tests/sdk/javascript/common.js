// What the tests of all clients ask. The server's address and the model's name come from test_javascript.py.
import assert from 'node:assert/strict';

export const BASE = process.env.INGLE_BASE;
export const MODEL = process.env.INGLE_MODEL;
export const QUESTION = [{ role: 'user', content: 'Invent a person: name and age.' }];
export const WEATHER = [{ role: 'user', content: 'How is the weather in Paris?' }];
export const TOO_LONG = [{ role: 'user', content: 'word '.repeat(9000) }];

export const PERSON = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 30 },
    age: { type: 'integer', minimum: 0, maximum: 120 },
    likes: { type: 'array', items: { enum: ['tea', 'rain', 'maths'] }, minItems: 1, maxItems: 2 },
  },
  required: ['name', 'age', 'likes'],
  additionalProperties: false,
};

export function assertPerson(person) {
  assert.deepEqual(Object.keys(person).sort(), ['age', 'likes', 'name']);
  assert.equal(typeof person.name, 'string');
  assert.ok([...person.name].length >= 1 && [...person.name].length <= 30, person.name);
  assert.ok(Number.isInteger(person.age) && person.age >= 0 && person.age <= 120, String(person.age));
  assert.ok(person.likes.length === 1 || person.likes.length === 2);
  for (const like of person.likes) assert.ok(['tea', 'rain', 'maths'].includes(like), like);
}

export const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] } },
  required: ['city', 'unit'],
  additionalProperties: false,
};
export const FUNCTION = {
  type: 'function',
  function: { name: 'get_weather', description: 'The weather of a city', parameters: PARAMETERS },
};

export function assertArguments(given) {
  assert.deepEqual(Object.keys(given).sort(), ['city', 'unit']);
  assert.equal(typeof given.city, 'string');
  assert.ok(['C', 'F'].includes(given.unit), given.unit);
}

/** All that an asynchronous iterator yields. */
export async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}
