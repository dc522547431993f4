"""Templates that go through the language: every filter, test, method, operator and statement, with their edges."""

SNIPPET_CONTEXT = {
    "messages": [
        {"role": "system", "content": "sys"},
        {"role": "user", "content": "Hi <b>", "n": 1},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1, "y": [1, 2.5, None, True]}}}],
        },
        {"role": "user", "content": "bye", "items": 3, "keys": "k", "update": "u", "pop": 1, "_x": 5},
    ],
    "people": [
        {"name": "bob", "age": 30, "city": {"name": "Rome", "zip": [1, 2]}},
        {"name": "Alice", "age": 25, "city": {"name": "oslo", "zip": [3, 4]}},
        {"name": "carol", "age": 30, "city": {"name": "Paris", "zip": [5, 6]}},
        {"name": "Dave", "city": {"name": "oslo"}},
    ],
    "s": "Hello, Wörld! ",
    "text": "line one\nline two\r\n\n  last\tline",
    "uni": "Straße ΑΣ İı ǆ ﬁ 日本語 🦜 ½ ² ٣",
    "n": 42,
    "f": 3.14159,
    "neg": -7,
    "big": 9223372036854775807,
    "tiny": 1.5e-7,
    "huge": 1e16,
    "t": True,
    "nothing": None,
    "empty": "",
    "d": {"b": 2, "a": 1, "C": 3, "items": "shadow", "key with space": [1]},
    "nested": {"a": {"b": {"c": [1, {"d": "deep"}]}}},
    "xs": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple", "Fig"],
    "mixed": [1, "a", None, 2.5, True, [1], {"k": "v"}],
    "html": "<p class=\"x\">Tom & 'Jerry'</p>",
}

VALUES = [
    "none",
    "true",
    "false",
    "0",
    "5",
    "-3",
    "2.5",
    "-0.0",
    "1e100",
    "1e16",
    "123456789.123",
    "''",
    "'abc'",
    "'a b  c'",
    "' x '",
    "'12'",
    "' -7 '",
    "'3.5e2'",
    "'ÄÖß'",
    "uni",
    "text",
    "[]",
    "[3, 1, 2]",
    "['b', 'A', 'c', 'a']",
    "[none, 1]",
    "(1, 2)",
    "(1,)",
    "()",
    "{}",
    "{'b': 1, 'a': 2}",
    "{1: 'x', none: 'y', 2.5: 'z', true: 't'}",
    "range(3)",
    "range(5, 0, -2)",
    "undefined_var",
    "[[1, 2], [3, 4]]",
    "people",
    "mixed",
    "d",
    "d.items()",
    "d.keys()",
    "d.values()",
    "'<b>'|safe",
    "'<b>'|e",
    "namespace(a=1)",
    "html",
    "[undefined_var, 'x']",
    "[1, 1.0, true, 'a', 'A']",
]

SIMPLE_FILTERS = [
    "abs",
    "capitalize",
    "count",
    "length",
    "default",
    "default('x')",
    "default('x', true)",
    "d('y', boolean=true)",
    "dictsort",
    "dictsort(true)",
    "dictsort(by='value')",
    "dictsort(reverse=true)",
    "e",
    "escape",
    "forceescape",
    "first",
    "float",
    "float(1.5)",
    "int",
    "int(9)",
    "int(default=8)",
    "items|list",
    "join",
    "join(', ')",
    "join('|')",
    "last",
    "list",
    "lower",
    "upper",
    "title",
    "trim",
    "trim('a ')",
    "max",
    "min",
    "sum",
    "reverse|list",
    "round",
    "round(1)",
    "round(-1)",
    "round(1, 'ceil')",
    "round(0, 'floor')",
    "safe",
    "sort",
    "sort(reverse=true)",
    "sort(case_sensitive=true)",
    "string",
    "striptags",
    "tojson",
    "tojson(indent=2)",
    "tojson(ensure_ascii=true)",
    "tojson(sort_keys=true)",
    "tojson(separators=(',', ':'))",
    "unique|list",
    "urlencode",
    "wordcount",
    "batch(2)|list",
    "batch(2, 'x')|list",
    "slice(2)|list",
    "slice(2, 'x')|list",
    "map('upper')|list",
    "map('int')|join(',')",
    "select|list",
    "reject|list",
    "select('string')|list",
    "reject('none')|list",
    "map(attribute='name')|list",
    "map(attribute='age', default=0)|list",
    "selectattr('name')|list|length",
    "rejectattr('age')|list",
    "groupby('age')|list",
    "center(9)",
    "indent",
    "indent(2, true)",
    "indent('> ', first=true, blank=true)",
    "truncate(5)",
    "truncate(5, true)",
    "truncate(4, true, '.', 0)",
    "wordwrap(5)",
    "filesizeformat",
    "filesizeformat(true)",
    "replace('a', 'b')",
    "replace('', '-')",
    "replace('b', 'XX', 1)",
    "format(1, 2)",
    "xmlattr",
    "attr('a')",
    "string|length",
    "nosuchfilter",
]

TESTS = [
    "boolean",
    "callable",
    "defined",
    "divisibleby(3)",
    "divisibleby 2",
    "eq(5)",
    "equalto 'abc'",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge(2)",
    "gt(2)",
    "in [5, 'abc', none]",
    "integer",
    "iterable",
    "le(2)",
    "lower",
    "lt(2)",
    "mapping",
    "ne 5",
    "none",
    "number",
    "odd",
    "sameas none",
    "sameas(true)",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
    "not none",
    "not in (5, 0)",
    "lessthan 3",
    "greaterthan 3",
    "nosuchtest",
]

OPERANDS = [
    "none",
    "true",
    "0",
    "7",
    "-3",
    "2.5",
    "-1.5",
    "''",
    "'ab'",
    "'%s-%s'",
    "[1, 2]",
    "(1,)",
    "{'a': 1}",
    "undefined_var",
    "'<i>'|safe",
    "range(2)",
    "big",
    "1e308",
]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]

METHODS = [
    "upper()",
    "lower()",
    "title()",
    "capitalize()",
    "swapcase()",
    "casefold()",
    "strip()",
    "lstrip()",
    "rstrip()",
    "strip('aS ')",
    "lstrip('H')",
    "rstrip('! 3')",
    "strip(none)",
    "split()",
    "split(' ')",
    "split('l')",
    "split('l', 1)",
    "split(none, 1)",
    "split(maxsplit=1)",
    "split('')",
    "split(sep='o')",
    "rsplit()",
    "rsplit(' ', 1)",
    "rsplit(none, 1)",
    "rsplit('l', 2)",
    "splitlines()",
    "splitlines(true)",
    "splitlines(keepends=true)",
    "startswith('He')",
    "startswith(('x', 'He'))",
    "startswith('l', 2)",
    "startswith('')",
    "startswith(1)",
    "endswith(' ')",
    "endswith(('! ', 'x'))",
    "endswith('o', 0, 5)",
    "find('l')",
    "find('l', 3)",
    "find('l', -3)",
    "find('')",
    "find('zz')",
    "rfind('l')",
    "index('o')",
    "index('zz')",
    "rindex('o')",
    "count('l')",
    "count('')",
    "count('l', 3)",
    "replace('l', 'L')",
    "replace('l', 'L', 1)",
    "replace('', '.')",
    "replace('l')",
    "replace('l', 'L', count=1)",
    "join(['a', 'b'])",
    "join('xyz')",
    "join([1])",
    "join({'k': 1})",
    "isdigit()",
    "isalpha()",
    "isalnum()",
    "isspace()",
    "isupper()",
    "islower()",
    "istitle()",
    "isdecimal()",
    "isnumeric()",
    "isascii()",
    "isidentifier()",
    "isprintable()",
    "center(20)",
    "center(21, '*')",
    "ljust(20, '.')",
    "rjust(20)",
    "rjust(20, 'xx')",
    "zfill(20)",
    "expandtabs()",
    "expandtabs(4)",
    "partition(' ')",
    "rpartition(' ')",
    "partition('zz')",
    "rpartition('zz')",
    "removeprefix('He')",
    "removesuffix(' ')",
    "format()",
    "nosuch()",
    "__class__",
    "__len__()",
    "_private",
    "upper",
    "encode",
    "length",
    "upper(1)",
    "strip(x=1)",
    "lower() | length",
]
TEXTS = [
    "s",
    "text",
    "uni",
    "empty",
    "'ab12'",
    "'12'",
    "'²'",
    "'Ⅷ'",
    "'-5'",
    "' \\t\\u00a0'",
    "'Hello World'",
    "'ΑΣ ΑΣΑ'",
    "'a\\x85b\\u2028c\\x0bd'",
    "'<x>'|safe",
]

EXPRESSIONS = """
1 + 2 * 3 ** 2
2 ** 3 ** 2
-2 ** 2
2 ** -1
0 ** 0
0 ** -1
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
-7.5 // 2
-7.5 % 2
7.5 % -2
1 / 3
10 / 5
1 / 0
1 // 0
1 % 0
1.0 % 0
big + 0
big
-big - 1
1e400
0.1 + 0.2
1e15
1e16
123456789012345678.0
1e-4
1e-5
0.00001234
1.0
1e22
1e23
5e-324
1.7976931348623157e308
3.0 * 2
true + true
true * 3
-true
+true
not 1
not 'a' and 1
not (0 or '')
1 and 'x'
0 or none
1 < 2 < 3
1 < 3 < 2
3 > 2 > 1 == 1
1 == 1.0 == true
'a' < 'b'
'a' < 1
[1, 2] < [1, 3]
[1, 'a'] < [1, 2]
(1, 2) == (1, 2)
[1] == (1,)
{'a': 1} == {'a': 1.0}
{'a': 1} < {'b': 2}
none < 1
none == none
1 in [1, 2]
'a' in 'abc'
1 in 'abc'
'x' in {'x': 1}
[1] in {'x': 1}
3 in range(5)
3.0 in range(5)
none in none
'a' in undefined_var
1 not in [1]
'ab' 'cd'
'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1, 'x']
1 ~ 2 + 3
'%s and %d' % ('x', 3)
'%5.2f|%-5s|%05d|%+d|%x|%X|%o|%e|%g|%%' % (3.14159, 'ab', 42, 7, 255, 255, 8, 12345.678, 0.0001)
'%(a)s %(b)d' % {'a': 'x', 'b': 2}
'%s' % none
'%s' % (1,)
'%s %s' % 1
'%d' % 'x'
'%d' % 3.7
'%r %a' % ('ü', 'ü')
'%c%c' % (65, 'B')
'%.3s|%10.3s|' % ('abcdef', 'abcdef')
'%*d|%-*d|' % (5, 42, 5, 42)
'%#x %#o %#X' % (255, 8, 255)
'%' % ()
'%y' % 1
'x' % 1
'x' % []
'%s' % [1, 2]
'%i %u' % (1, 2)
'% d' % 5
'%g %g %g %G' % (1e10, 1e-10, 100000, 1e-10)
'%f' % 1e20
'%.0f %.0f %.0f' % (0.5, 1.5, 2.5)
'%#.3g' % 1.0
'%s' % undefined_var
'{} {}'.format(1, 'a')
'{0} {1} {0}'.format('a', 'b')
'{a} {b}'.format(a=1, b='x')
'{:>8}|{:<8}|{:^8}|{:*^9}|'.format('ab', 'cd', 'ef', 'gh')
'{:5d}|{:<5d}|{:05d}|{:+d}|{: d}|'.format(42, 42, 42, 42, 42)
'{:.2f} {:8.3f} {:e} {:g} {:%} {:.1%}'.format(3.14159, 2.5, 12345.678, 0.00001, 0.25, 0.5)
'{:,} {:_} {:,.2f} {:012,}'.format(1234567, 1234567, 1234567.891, 1234567)
'{:x} {:X} {:o} {:b} {:#x} {:#b} {:c}'.format(255, 255, 8, 5, 255, 5, 65)
'{!r} {!s} {!a}'.format('ü', 'ü', 'ü')
'{0[a]} {0[b]} {1[0]}'.format({'a': 1, 'b': 2}, [9])
'{0.a}'.format({'a': 1})
'{0.upper}'.format('x') != ''
'{:{}}|{:>{w}}'.format('a', 5, 'b', w=4)
'{{}} {}'.format(1)
'{'.format(1)
'}'.format(1)
'{} {}'.format(1)
'{} {0}'.format(1)
'{x}'.format(1)
'{:d}'.format('a')
'{:s}'.format(1)
'{:.3}'.format('abcdef')
'{:.3}'.format(3.14159)
'{:10}|{:10}|{:10}|'.format('a', 1, 1.5)
'{}'.format(none)
'{:5}'.format(none)
'{:5}'.format(true)
'{}'.format([1, 'a'])
'{:n}'.format(5)
'{:=+8d}'.format(5)
'{:08.2f}'.format(-3.14159)
'{:.0f} {:.0e} {:g}'.format(2.5, 12345.0, 100000000.0)
'{:z.1f}'.format(-0.01)
'{a[x][0]}'.format(a={'x': [7]})
'{0.__class__}'.format('x')
'{k}'.format_map({'k': 5})
"{}"|format(1)
"%s, %s!"|format('Hello', 'World')
"%(x)s"|format(x=5)
"%s %(x)s"|format(1, x=5)
s[0]
s[-1]
s[100]
s[1:3]
s[::-1]
s[::2]
s[-3:]
s[:-3]
s[5:2]
s[10:0:-2]
s[::0]
s['x']
s[1.0]
s[none:3]
s['a':]
uni[6:8]
uni[::-1]
uni|length
xs[0]
xs[-1]
xs[3]
xs[-4]
xs[1:]
xs[::-1]
xs[:2:-1]
xs['0']
xs[true]
xs.0
xs.1 + 1
d.a
d['a']
d['zz']
d.zz
d.zz.y
d.items
d.items()
d['items']
d.get('a')
d.get('zz')
d.get('zz', 5)
d.get()
d.keys()|list
d.values()|list
d.keys()
d.items()|list|first
d.copy() == d
d.fromkeys(['a', 'b'], 1)
d.pop('a')
d.update({'x': 1})
d.update
d.clear()
d.setdefault('q', 1)
xs.append(1)
xs.append
xs.append is defined
xs.pop()
xs.sort()
xs.insert(0, 1)
xs.extend([1])
xs.reverse()
xs.remove(1)
xs.count(1)
xs.index(2)
xs.index(99)
xs.copy()
xs.index(1, 2)
(1, 2, 1).count(1)
(1, 2).index(2)
messages[3].items
messages[3]['items']
messages[3].items()|list|length
messages[3].update
messages[3]['update']
messages[3].pop
messages[3]._x
messages[3]['_x']
messages[1].content
messages[2].content
messages[2].tool_calls[0].function.arguments.y
messages[2].tool_calls[0].function.arguments|tojson
messages[0]['tool_calls']
messages[0].tool_calls is defined
messages[0].tool_calls.x
messages[0]['tool_calls'] is none
messages[-1]['role']
messages[9]
messages[9].role
messages[1:]|length
messages|map(attribute='role')|join(',')
messages|map(attribute='role')|list|tojson
messages|selectattr('role', 'equalto', 'user')|list|length
messages|selectattr('role', 'in', ['user', 'system'])|map(attribute='content')|join('/')
messages|rejectattr('role', 'equalto', 'user')|map(attribute='role')|join
messages|selectattr('tool_calls', 'defined')|list|length
messages|selectattr('tool_calls')|first|length
messages|map(attribute='content')|reject('none')|map('upper')|join(';')
messages|map('length')|list
messages|map(attribute='content')|map('default', 'x', true)|join(',')
messages|first
messages|last
(messages|last).role
messages[0] is mapping
messages is sequence
messages is iterable
nested.a.b.c[1].d
nested['a']['b']['c'][0]
nested.a.x.y
nested.a.x is defined
nested.a.x.y is defined
undefined_var
undefined_var is defined
undefined_var|default('dflt')
undefined_var.x
undefined_var['x']
undefined_var()
undefined_var + 1
undefined_var == undefined_var
undefined_var == none
undefined_var != 1
undefined_var < 1
undefined_var ~ 'x'
undefined_var[1:]
undefined_var|list
undefined_var|length
undefined_var|upper
undefined_var|int
undefined_var|tojson
not undefined_var
-undefined_var
undefined_var or 'x'
undefined_var|first
undefined_var|join(',')
undefined_var|string
[undefined_var]
{'a': undefined_var}
'x' if false
('x' if false) is defined
('x' if false).y
'x' if true else 'y'
'a' if 0 else 'b' if 1 else 'c'
1 if 2 if 3 else 4 else 5
[1, 2, 3]|sum
people|sum(attribute='age')
people[:3]|sum(attribute='age')
people[:3]|sum(attribute='age', start=100)
[[1], [2]]|sum(start=[])
['a']|sum(start='')
people|map(attribute='city.name')|join(',')
people|map(attribute='city.zip.0')|join(',')
people|sort(attribute='name')|map(attribute='name')|join(',')
people|sort(attribute='name', case_sensitive=true)|map(attribute='name')|join(',')
people[:3]|sort(attribute='age,name', reverse=true)|map(attribute='name')|join(',')
people|sort(attribute='age')|length
people|groupby('city.name')|map('first')|join(',')
people|groupby('age', default=0)|map(attribute='grouper')|join(',')
people|groupby('city.name', case_sensitive=true)|map('first')|join(',')
people[:3]|groupby('age')|list|tojson
people|unique(attribute='city.name')|map(attribute='name')|join(',')
people|map(attribute='age', default='?')|join(',')
people[:3]|max(attribute='age')|tojson
people[:3]|min(attribute='name')|tojson
words|sort
words|sort(case_sensitive=true)
words|sort(reverse=true)
words|unique|list
words|unique(case_sensitive=true)|list
words|map('length')|list
words|map('replace', 'p', 'P')|list
words|select('in', ['fig', 'pear'])|list
words|select('ne', 'fig')|list
words|map('nosuch')|list
words|select('nosuch')|list
words|map()|list
words|map(attribute='x', foo=1)|list
words|min
words|max
words|join(', ', attribute='0')
words|batch(2)|map('join', '+')|join(' ')
words|slice(3)|list
words|slice(0)|list
words|batch(0)|list
[1, [2, [3]]]|string
mixed|string
mixed|tojson
mixed|sort
d|dictsort
d|dictsort(by='x')
d|items|list
d|list
d|first
d|last
d|length
d|tojson
d|tojson(indent=4)
d|tojson(indent=0)
d|tojson(indent='\\t')
d|tojson(2)
d|tojson(true)
d|tojson(indent=2, sort_keys=true)
d|tojson(separators=(', ', ' = '))
d|tojson(indent=2, separators=(';', '='))
nested|tojson(indent=2)
uni|tojson
uni|tojson(ensure_ascii=true)
'\\x7f\\x1f\\b\\f\\n\\r\\t"\\\\/<>&\\u2028'|tojson
'\\x7f'|tojson(ensure_ascii=true)
[1e16, 1.0, 1e-7, 1e100, -0.0]|tojson
(1e400)|tojson
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
range(3)|tojson
(1, 2)|tojson
[[], {}, [[]]]|tojson(indent=1)
namespace(a=1)|tojson
d.items()|tojson
d.keys()|list|tojson
{'a': 1, 'a': 2}
{1: 'a', 1.0: 'b', true: 'c'}
{[1]: 2}
{'a': {'b': [1, (2,), none]}}
[]
()
(1,)
(1, 2)
1, 2
{}
[1, 2,]
{'a': 1,}
'\\n\\t\\\\\\'\\"'
'\\x41\\u00e9\\U0001f99c\\101\\q'
'\\é'
'\\x4'
'\\ud800'
"it's" ~ 'a "b"'
["it's", 'a "b"', 'both \\' and "', 'tab\\t', '\\x00', 'é', '\\u200b', '\\ue000', '\\xa0', '🦜']
0x1F + 0o17 + 0b11
1_000 + 0x_ff
1__0
007
1.
.5
1.5.5
1e3
1E-2
1_0.5_0
9223372036854775807
9223372036854775806 + 1
range(5)
range(5)|list
range(2, 5)|list
range(5, 0, -1)|list
range(0)|list
range(5)[1]
range(5)[-1]
range(5)[1:3]
range(10)[::3]|list
range(5)[9]
range(100000)|length
range(100001)
range(0, 10, 0)
range('a')
range(1.5)
range(1, 2, 3, 4)
range()
range(10)|sum
range(3) == range(0, 3)
dict(a=1, b=2)
dict([('a', 1), ('b', 2)])
dict({'a': 1}, b=2)
dict([1])
dict(1)
dict()
namespace(a=1).a
namespace(a=1).b
namespace(a=1)['a']
namespace({'x': 1}, y=2)
namespace(_a=1)
namespace()
joiner()()
cycler(1, 2).next()
cycler()
cycler(1, 2).current
raise_exception('boom')
raise_exception()
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S')
strftime_now('%A %B %e %j %U %W %u %w %y %I %p %%')
strftime_now('%-d %-m %_d %H%M %D %F %T %R %r %c %x %X')
strftime_now('%G-W%V-%u %C %h %n%t|')
strftime_now('%Z|%z|%f')
strftime_now('%^a %^B %#p %010Y %-I')
strftime_now('')
strftime_now('%Q')
strftime_now()
strftime_now(1)
loop is defined
caller is defined
n is number
(1).bit_length()
(5).real
(5).imag
(5).numerator
5 .real
(2.0).is_integer()
(2.5).is_integer()
true.real
s.upper().lower().title()
s|upper|lower|title
s|trim|length
s|replace('l', 'L')|upper
s|replace(',', '')|replace('!', '')
(s|trim).split(',')|map('trim')|list
'a,b,,c'.split(',')
'a  b c'.split()
' a b '.split(' ')
''.split()
''.split(',')
'abc'.split('b')
'<think>x</think>y'.split('</think>')[-1]
'<think>x</think>y'.split('</think>')[0].split('<think>')[-1].lstrip('\\n')
'abcabc'.replace('b', '').replace('c', 'd')
'x=1;y=2'.split(';')|map('replace', '=', ':')|join(',')
"a'b"|tojson
"a"|e ~ "<"
("<"|safe) + "<"
"<" + ("<"|safe)
("<"|safe) ~ "<"
("<%s>"|safe) % "<"
("<"|safe) * 2
("<"|safe)|upper
("<"|safe)|length
["<"|safe, "<"]|join(',')
("<"|safe).join(["<", "<"|safe])
("<a>"|safe)|escape
("<a>"|safe)|forceescape
"<a>"|escape|escape
"<a>"|safe|string
"a<b"|e|replace('&', 'x')
html|striptags
html|e
html|urlencode
{'a b': 'ü&', 'c': 1}|urlencode
[('a', 1), ('b', 2)]|urlencode
{'class': 'x y', 'id': none, 'n': 5, 'q': '"<'}|xmlattr
{'a b': 1}|xmlattr
{}|xmlattr
{'a': 1}|xmlattr(false)
'hello world foo bar'|truncate(11)
'hello world foo bar'|truncate(11, true)
'hello world foo bar'|truncate(11, leeway=0)
'hello world foo bar'|truncate(11, false, '…', 0)
'hello'|truncate(2)
'hello world'|truncate(-1)
'the quick brown fox jumps'|wordwrap(10)
'averyveryverylongword and short'|wordwrap(8)
'averyveryverylongword and short'|wordwrap(8, false)
'well-known hyphen-ated words--dash'|wordwrap(7)
'a\\nb\\n\\nc d e'|wordwrap(3, wrapstring='|')
'foo bar'|wordwrap(0)
'foo  bar   baz'|wordwrap(5)
'foo bar'|title
"it's a dog-eat-dog (world) [x] <y> {z} 3rd"|title
"it's a dog-eat-dog 3rd".title()
'HELLO'|capitalize
'ǆungla'|capitalize
'ŉ'|upper
'ß'|title
42|string|length
'42'|int + 1
'0x1f'|int(base=16)
'0x1f'|int(0, 16)
'1f'|int(0, 16)
'z'|int(5)
'0b11'|int(0, 2)
'1_000'|int
' 12 '|int
'12.7'|int
'1e3'|int
'inf'|int
'nan'|int
'٣'|int
'-'|int
''|int
none|int
[]|int
2.9|int
-2.9|int
1e400|int
'abc'|float
'1e5'|float
'.5'|float
'1.'|float
'inf'|float
'-Infinity'|float
'nan'|float
'1_0.5'|float
'0x1'|float
2.5|round
3.5|round
-2.5|round
2.675|round(2)
1234.5678|round(-2)
1234|round(-2)
1250|round(-2)
1350|round(-2)
5|round
5|round(2)
2.1|round(0, 'ceil')
2.9|round(0, 'floor')
2.123|round(2, 'ceil')
42|round(1, 'ceil')
'x'|round
2.5|round(method='bad')
true|round
1e300|round(2)
-7|abs
-7.5|abs
true|abs
'x'|abs
1000|filesizeformat
1|filesizeformat
999999|filesizeformat
1048576|filesizeformat(true)
'5000'|filesizeformat
1e30|filesizeformat
0|filesizeformat
[1, 2, 3]|first
[]|first
[]|first is defined
[]|last
[]|max
''|first
'abc'|first
'abc'|last
'abc'|reverse
'äöü'|reverse
[1, 2]|reverse|list
(1, 2)|reverse|list
5|reverse
5|first
5|list
5|join
none|list
'abc'|list
'äb'|list
'abc'|join('-')
[1, none, 'x']|join('-')
{'a': 1}|join
[1, 2]|length
5|length
none|length
'äö'|length
('a', 'b')|join
'a'|center(5)
'ab'|center(5)
'a'|center
'x'|indent
'x\\ny\\n\\nz'|indent
'x\\ny\\n\\nz'|indent(2)
'x\\ny\\n\\nz'|indent(2, true)
'x\\ny\\n\\nz'|indent(2, first=true, blank=true)
'x\\ny\\n'|indent('--')
5|indent
''|indent
'\\n'|indent
'a b\\tc-d_e é1'|wordcount
'x' is string
'x' is not string
'x' is string and 1 is number
1 is number is string
1 is integer
1.0 is integer
true is integer
true is number
1 is float
none is none
none is not none
d is mapping
d is iterable
'x' is iterable
5 is iterable
5 is divisibleby 5
5 is divisibleby(0)
'abc' is lower
'ABC' is upper
'1' is upper
1 is odd
2 is even
'x' is even
2.5 is odd
1 is eq 1
1 is == 1
1 is equalto(1.0)
'a' is in 'abc'
'a' is not in ['b']
'upper' is filter
'nope' is filter
'odd' is test
'nope' is test
range is callable
'x' is callable
'x'.upper is callable
none is sameas none
[] is sameas []
true is sameas true
1 is true
'x' is defined is true
x is defined and y
not x is defined
not 1 is odd
(1 is odd) == true
1 is odd == true
1 is lt 2
-1|abs
- 1|abs
(-1)|abs
2 * 3|string
'a' ~ 'b'|upper
1 + 1|float
not true|string
[1,2,3][1:][0]
'abc'[1]|upper
{'a': [1, 2]}.a[1]
{'a': 1}['a'] + 1
(1, 2)[0]
'a'.b
5 .x
none.x
none['x']
true.x
[].x
[].x.y
foo.bar.baz
foo is defined and foo.bar
foo and foo.bar
foo|default({})|length
(foo|default({})).x
foo|default([])|map(attribute='x')|list
[1, 2, 3] | map('multiply', 2)
xs|map('string')|join
xs|sort|first
xs|sort|reverse|list
xs|select('odd')|list
xs|select('divisibleby', 3)|list
xs|select('gt', 1)|list
xs|reject('gt', 1)|list
xs|map('round', 1)|list
xs == xs
xs is sameas xs
xs + [4]
xs + (4,)
xs * 2
[0] * -1
2 * 'ab'
'ab' * 2.0
'a' + 1
'a' + 'b' * 3
[1] + [2] == [1, 2]
'abc' > 'abd'
'Z' < 'a'
'é' > 'z'
'' < 'a'
[] < [1]
true > false
1 <= 1.0
none in [none]
[1, 2] in [[1, 2]]
1.0 in [1]
'1' in [1]
true in [1]
1 in {1.0: 'x'}
d == {'b': 2}
d != d
s|attr('upper')
d|attr('a')
d|attr('items') is defined
s|attr(1)
foo.append
varargs
kwargs
a b
1 2
(1
[1
{1
'abc
1)
x is
x |
x|
.x
x.
x[
x..y
x.1.2
x.'a'
a = 1
1 +
+ 1
* 1
not
if
x if
f(**{'a': 1}, 1)
f(a=1, 2)
dict(a=1, a=2)
dict(*[[('a', 1)]], **{'b': 2})
dict(**{'a': 1}, **{'b': 2})
range(*[1, 3])|list
range(*5)
'{} {}'.format(*['a', 'b'])
'{a}'.format(**{'a': 1})
'{a}'.format(**[1])
s.replace(*('l', 'L'))
$x
x ? y
x && y
!x
x := 1
lambda x: x
`x`
@x
x;y
"a" "b" ~ 'c' 'd'
1 if true else
(1 if true)
[x for x in xs]
é
naïve|default('ok')
²
true
True
TRUE
None
NONE
False
nil
null
"""

STATEMENTS = [
    "{% if 1 %}a{% endif %}",
    "{% if 0 %}a{% else %}b{% endif %}",
    "{% if 0 %}a{% elif 1 %}b{% else %}c{% endif %}",
    "{% if 0 %}a{% elif 0 %}b{% elif 1 %}c{% endif %}",
    "{% if %}a{% endif %}",
    "{% if 1 %}a",
    "{% endif %}",
    "{% else %}",
    "{% if 1 %}a{% endfor %}",
    "{% if 1, 2 %}a{% endif %}",
    "{% if 1: %}a{% endif %}",
    "{% for x in xs %}{{ x }},{% endfor %}",
    "{% for x in [] %}a{% else %}none{% endfor %}",
    "{% for x in xs %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in xs if x > 1 %}{{ loop.index }}:{{ x }} {% endfor %}",
    "{% for x in xs if x > 5 %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}|{% endfor %}",
    "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in xs %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in xs %}{{ loop.cycle() }}{% endfor %}",
    "{% for x in [1,1,2,2,1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in xs %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}",
    "{% for x in xs %}{{ loop }}{% endfor %}",
    "{% for x in xs %}{{ loop.nosuch }}.{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in d %}{{ k }};{% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}",
    "{% for a, b in [1] %}{{ a }}{% endfor %}",
    "{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}",
    "{% for c in 'äbc' %}{{ c }}.{% endfor %}",
    "{% for x in 5 %}{% endfor %}",
    "{% for x in none %}{% endfor %}",
    "{% for x in undefined_var %}a{% else %}b{% endfor %}",
    "{% for x in undefined_var.y %}a{% endfor %}",
    "{% for x in range(3) %}{% for y in range(2) %}{{ loop.index }}{{ x }}{{ y }} {% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in xs %}{% if loop.index == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in xs %}{% continue %}{% else %}E{% endfor %}",
    "{% for x in xs %}{% break %}{% else %}E{% endfor %}",
    "{% for x in xs %}{% if loop.first %}{% break %}{% endif %}{% endfor %}",
    "{% for x in xs %}{% if loop.last %}{% break %}{% endif %}{% else %}E{% endfor %}",
    "{% break %}",
    "{% if 1 %}{% continue %}{% endif %}",
    "{% for x in xs %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in [] %}{% else %}{% break %}{% endfor %}",
    "{% for y in xs %}{% for x in [] %}{% else %}{% break %}{% endfor %}{{ y }}{% endfor %}",
    "{% for x in xs %}{% set y = x %}{% endfor %}{{ y }}",
    "{% set y = 0 %}{% for x in xs %}{% set y = y + x %}{{ y }}{% endfor %}{{ y }}",
    "{% set ns = namespace(t=0) %}{% for x in xs %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}",
    "{% set x = 1 %}{{ x }}",
    "{% set x, y = 1, 2 %}{{ x }}{{ y }}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set (x, y) = [1, 2] %}{{ x }}{{ y }}",
    "{% set x, y = 1 %}",
    "{% set x, y = [1] %}",
    "{% set x = y = 1 %}",
    "{% set 1 = 2 %}",
    "{% set x.y = 1 %}",
    "{% set d.a = 1 %}",
    "{% set ns = namespace() %}{% set ns.a = 1 %}{% set ns.b = ns.a + 1 %}{{ ns.a }}{{ ns.b }}{{ ns.c }}|{{ ns }}",
    "{% set ns = namespace(a=1) %}{% set ns.a, ns.b = 3, 4 %}{{ ns.a }}{{ ns.b }}",
    "{% set ns = namespace() %}{% set ns._a = 1 %}",
    "{% set ns = namespace() %}{% set ns['a'] = 1 %}",
    "{% set n = n + 1 %}{{ n }}",
    "{% set none = 1 %}",
    "{% set true = 1 %}",
    "{% set x %}a{{ n }}b{% endset %}{{ x }}|{{ x|length }}",
    "{% set x | upper %}abc{% endset %}{{ x }}",
    "{% set x | replace('a', 'b') | upper %}abc{% endset %}{{ x }}",
    "{% set x %}{% set z = 5 %}{{ z }}{% endset %}{{ x }}{{ z }}",
    "{% set x %}{% endset %}[{{ x }}]{{ x is string }}",
    "{% set x %}a",
    "{% set x = %}",
    "{% set %}",
    "{% if 1 %}{% set x = 1 %}{% endif %}{{ x }}",
    "{% if 0 %}{% set n = 1 %}{% endif %}{{ n }}",
    "{% if 1 %}{% set n = 1 %}{% else %}{% set n = 2 %}{% endif %}{{ n }}",
    "{{ x }}{% set x = 1 %}{{ x }}",
    "{% for i in xs %}{{ x }}{% set x = i %}{{ x }} {% endfor %}",
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with n = 1, m = n %}{{ n }}{{ m }}{% endwith %}{{ n }}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}",
    "{% with a %}{% endwith %}",
    "{% with a, b = (1, 2) %}{% endwith %}",
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}",
    "{% macro m(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m(1, c=9) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}[{{ m() }}]",
    "{% macro m(a) %}{{ a.x }}{% endmacro %}[{{ m() }}]",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{{ varargs|join(',') }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro m(a) %}{{ kwargs.x }}{% endmacro %}{{ m(1, x=3) }}{{ m(a=1, y=3) }}",
    "{% macro m(kwargs) %}{{ kwargs }}{% endmacro %}{{ m(1) }}",
    "{% macro m(varargs=5) %}{{ varargs }}{% endmacro %}{{ m() }}",
    "{% macro m(a, b=1, c) %}{% endmacro %}",
    "{% macro m(a=1 b) %}{% endmacro %}",
    "{% macro m %}{% endmacro %}",
    "{% macro m() %}a",
    "{% macro 1() %}{% endmacro %}",
    "{% macro m(a, a) %}{% endmacro %}",
    "{{ m }}{% macro m() %}x{% endmacro %}",
    "{{ m() }}{% macro m() %}x{% endmacro %}",
    "{% macro m() %}x{% endmacro %}{{ m }}",
    "{% macro m() %}{{ n }}{% set n = 1 %}{{ n }}{% endmacro %}{{ m() }}{{ n }}",
    "{% macro m() %}{{ q }}{% endmacro %}{% set q = 1 %}{{ m() }}{% set q = 2 %}{{ m() }}",
    "{% macro f(k) %}{% if k > 0 %}{{ k }}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "{% for x in xs %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(x) %}{% if x is mapping %}{% for k, v in x.items() %}{{ k }}:{{ m(v) }},{% endfor %}{% else %}{{ x }}{% endif %}{% endmacro %}{{ m(nested.a) }}",
    "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(m(m(1))) }}|{{ m(1)|upper }}|{{ m('a') ~ m('b') }}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}body{% endcall %}",
    "{% macro m() %}[{{ caller(1, 2) }}]{% endmacro %}{% call(a, b) m() %}{{ a }}{{ b }}{% endcall %}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{{ m() }}",
    "{% macro m() %}[{{ caller is defined }}]{% endmacro %}{{ m() }}",
    "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m(caller) %}x{% endmacro %}{{ m(1) }}",
    "{% macro m(caller) %}{{ caller }}{% endmacro %}",
    "{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m() }}{{ m(5) }}",
    "{% macro m() %}{% if caller %}{{ caller() }}{% else %}no{% endif %}{% endmacro %}{{ m() }}{% call m() %}yes{% endcall %}",
    "{% call 5 %}x{% endcall %}",
    "{% call m %}x{% endcall %}",
    "{% macro m(x=caller) %}{{ x }}{% endmacro %}{{ m() }}",
    "{% call(x) upper() %}{% endcall %}",
    "{% filter upper %}abc{{ n }}{% endfilter %}",
    "{% filter upper|replace('A', 'x') %}abc{% endfilter %}",
    "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% filter nosuch %}a{% endfilter %}",
    "{% filter upper %}a",
    "{% filter trim %}  a  {% endfilter %}|",
    "{% filter upper %}{% set z = 1 %}{{ z }}{% endfilter %}{{ z }}",
    "{% for x in xs %}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}|",
    "{% for x in xs %}{% set q %}a{% break %}{% endset %}{% endfor %}|",
    "{% generation %}a{{ n }}{% endgeneration %}",
    "{% generation %}{% set z = 1 %}{{ z }}{% endgeneration %}{{ z }}",
    "{%- generation -%} a {%- endgeneration -%}",
    "{% generation %}a",
    "{% generation %}{{ caller }}{% endgeneration %}",
    "{% raw %}{{ x }}{% if %}{% endraw %}",
    "{% raw %}\n a \n{% endraw %}\nb",
    "a {%- raw -%} x {%- endraw -%} b",
    "{% raw %}a",
    "{% raw %}",
    "{%+ raw %} a {% endraw +%}\nb",
    "{# comment #}a",
    "a{# c #}\nb",
    "a {#- c -#} b",
    "a\n  {# c #}\n  b",
    "{# a",
    "{#",
    "{#}",
    "{#-#}a",
    "{#--#}a",
    "a{#+ c +#}\nb",
    "{# {{ x }} #}",
    "{# #} #}",
    "{{ 1 -}}  x",
    "x  {{- 1 }}",
    "x\n{{- 1 -}}\ny",
    "  {% if 1 %}\n  a\n  {% endif %}\n  b",
    "a  {% if 1 %}b{% endif %}",
    "a\n  {%+ if 1 %}b{% endif %}",
    "a{% if 1 +%}\nb{% endif %}",
    "a{% if 1 -%}\n  b  {%- endif %}",
    "\t{% if 1 %}x{% endif %}",
    "x \t {% if 1 %}y{% endif %}",
    "  {{ 1 }}\n  {{ 2 }}\n",
    "{% if 1 %}\n\nx{% endif %}\n\n",
    "a\n",
    "a\n\n",
    "\n",
    "\n\n",
    "",
    " ",
    "\r\na\rb\r\n",
    "a\r\n{% if 1 %}\r\nb{% endif %}",
    "{{ 'a\r\nb' }}",
    "{{- 'a' -}}",
    "{{-1}}",
    "{{ -1 }}",
    "{{- -1 }}",
    "{%- if 1 -%}a{%- endif -%}",
    "{%if 1%}a{%endif%}",
    "{% if 1 %}{# c #}\n{% endif %}x",
    "a {% if 1 %} {% endif %} b",
    "{{ 1 }}{{ 2 }}",
    "{{ }}",
    "{{",
    "{{ 1",
    "{{ 1 }",
    "{% ",
    "{%",
    "{% %}",
    "{% nosuch %}",
    "{% 1 %}",
    "{% if 1 }}",
    "{{ 1 %}",
    "}} %} #}",
    "{ { x } }",
    "{{ '}}' }}",
    "{{ '%}' }}{% if '%}' %}a{% endif %}",
    "{{ {'a': {'b': 1}} }}",
    "{{ {'a': {'b': 1}}}}",
    "{{ [[1]] }}",
    "{% set x = {'a': 1} %}{{ x }}",
    "{%- set x = {} -%}{{ x }}",
    "{{ x\n+\n1 }}",
    "{{\n1\n}}",
    "{% set\nx\n=\n1\n%}{{ x }}",
    "{% print 1 %}",
    "{% print 1, 2 %}",
    "{% print %}",
    "{% print 1 2 %}",
    "{% do xs.append(1) %}",
    "{% block a %}x{{ n }}{% endblock %}",
    "{% block a %}x{% endblock a %}",
    "{% for x in xs %}{% block a scoped %}{{ x }}{% endblock %}{% endfor %}",
    "{% for x in xs %}{% block a %}{{ x }}{% endblock %}{% endfor %}",
    "{% block a %}{% endblock %}{% block a %}{% endblock %}",
    "{% autoescape false %}<{{ '<' }}{% endautoescape %}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% if 0 %}{% include 'x' %}{% endif %}ok",
    "{% trans %}a{% endtrans %}",
    "{% debug %}",
    "{% if 0 %}{{ 1|nosuch }}{% endif %}ok",
    "{% if 1 %}{{ 1|nosuch }}{% endif %}ok",
    "{{ (1|nosuch) if 0 else 2 }}",
    "{{ 1|nosuch if 0 else 2 }}",
    "{{ 2 if 1 else (1 is nosuch) }}",
    "{% if 0 %}{% for x in xs %}{{ x|nosuch }}{% endfor %}{% endif %}",
    "{% for x in [] %}{{ x|nosuch }}{% endfor %}",
    "{% if 0 %}{% for x in xs|nosuch %}{% endfor %}{% endif %}ok",
    "{% if 0 %}{% macro m() %}{{ 1|nosuch }}{% endmacro %}{% endif %}",
    "{% if 0 %}{% set x = 1|nosuch %}{% endif %}ok",
    "{% if 0 %}{% set x %}{{ 1|nosuch }}{% endset %}{% endif %}ok",
    "{% if 1|nosuch %}{% endif %}",
    "{% for x in xs recursive %}{{ x }}{% endfor %}",
    "{% for x in [[1, [2]], [3]] recursive %}{% if x is sequence %}<{{ loop(x) }}>{% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}",
    "{% for x in xs %}{{ loop(x) }}{% endfor %}",
    "{% set loop = 1 %}{{ loop }}",
    "{% for loop in xs %}{% endfor %}",
    "{% for x in xs %}{% set loop = 1 %}{% endfor %}",
    "{% for x in xs %}{% endfor %}{{ loop }}",
    "{% for x in xs %}{% for y in [1] %}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for x in xs|map('string') %}{{ loop.length }}{{ loop.last }}{{ x }} {% endfor %}",
    "{% for x in xs|select('odd') %}{{ loop.revindex }}{{ x }}{{ loop.nextitem }} {% endfor %}",
    "{% set g = xs|map('string') %}{{ g|list }}{{ g|list }}",
    "{% set g = xs|select('odd') %}{% for x in g %}{{ x }}{% endfor %}{% for x in g %}{{ x }}{% endfor %}|{{ g is iterable }}{{ g is sequence }}",
    "{{ (xs|map('string'))|length }}",
    "{{ 'y' if xs|map('string') else 'n' }}",
    "{{ 'y' if []|map('string') else 'n' }}",
    "{{ (xs|map('string'))[0] }}",
    "{{ '1' in xs|map('string') }}",
    "{{ xs|map('nosuch') is defined }}",
    "{% set ns = namespace(f=false) %}{% for m in messages if not ns.f %}{{ m.role }}{% set ns.f = true %}{% endfor %}",
    "{% for a, b in [[1, 2], [3, 4]] if a %}{{ loop.previtem }}{{ loop.nextitem }}{% endfor %}",
    "{% for a, (b, c) in [[1, [2, 3]]] * 2 if c %}{{ loop.previtem }}{% endfor %}",
    "{% for a, b in [[1, 2], [3, 4]] %}{{ loop.previtem }}{{ loop.nextitem }}{% endfor %}",
    "{% set j = joiner('|') %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}",
    "{% set ns = namespace(x=xs) %}{{ ns.x }}{% set ns.x = ns.x + [9] %}{{ ns.x }}{{ xs }}",
    "{% set ns = namespace() %}{% set ns.items = 5 %}{{ ns.items }}",
    "{% set x = [] %}{% set x = x + [1] %}{{ x }}",
    "{% set _ = xs.append(4) %}{{ xs }}",
    "{% set _ = d.update({'a': 1}) %}",
    "{%- for m in messages -%}\n  {{ m.role }}: {{ m.content }}\n{%- endfor -%}",
    "{%- for m in messages %}\n{{- '<|' + m['role'] + '|>\\n' -}}\n{%- endfor %}",
    "{% for m in messages %}{% if m.content is string %}{{ m.content|trim }}{% elif m.content is none %}-{% endif %};{% endfor %}",
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}x{% endif %}{{ m.role[0]|upper }}{% endfor %}",
    "{% for m in messages[::-1] %}{% set index = (messages|length - 1) - loop.index0 %}{{ index }}{{ m.role }} {% endfor %}",
    "{% for m in messages|reverse %}{{ m.role }}{{ loop.length }} {% endfor %}",
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% else %}{% set loop_messages = messages %}{% endif %}{{ loop_messages|length }}",
    "{% if (messages[0].role == 'user') != (0 % 2 == 0) %}{{ raise_exception('no') }}{% endif %}x",
    "{{ raise_exception('Conversation roles must alternate') if messages else '' }}",
    "{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools }}",
    "{% if tools is not defined or tools is none %}no{% endif %}",
    "{% set date_string = strftime_now('%d %b %Y') if strftime_now is defined else '?' %}{{ date_string }}",
    "{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}{% for k in {'x': 1} %}{{ k }}{% endfor %}",
    "{{ '%.2f'|format(3.14159) }}",
    "{{ 'a' 'b' }}",
    "{{ loop }}",
    "{% set x = 5 %}{% macro m(x) %}{{ x }}{% endmacro %}{{ m(1) }}{{ x }}{{ m() }}",
    "{% set x = 5 %}{% macro m(y=x) %}{{ y }}{% endmacro %}{{ m() }}{% set x = 6 %}{{ m() }}",
    "{% macro m(a, b=a ~ 'x') %}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a=b, b=1) %}{{ a }}{% endmacro %}[{{ m() }}]",
    "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}",
    "{% macro m() %}{% for i in range(2) %}{{ i }}{% endfor %}{% endmacro %}{{ m() }}",
    "{{ 5|default }}",
    "{{ (1).__class__ }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ xs.__len__() }}",
    "{{ d.__class__ }}",
    "{{ namespace.__init__ }}",
    "{{ m.__globals__ }}",
    "{% set x = '' %}{% for i in range(3) %}{% set x = x ~ i %}{% endfor %}[{{ x }}]",
    "{% set a %}{% set b %}x{% endset %}{{ b }}y{% endset %}{{ a }}",
    "{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{{ loop.index }}{% endfor %}",
    "{% for i in range(10) %}{% if i > 2 %}{% break %}{% endif %}{{ i }}{{ loop.length }}{% endfor %}",
    "{% for a in [1] %}{% for b in [2] %}{% break %}{% endfor %}{{ a }}{% endfor %}",
    "{%- macro render(x, depth=0) -%}{%- if x is mapping -%}{ {%- for k, v in x|dictsort -%}{{ k }}:{{ render(v, depth + 1) }}{%- if not loop.last %}, {% endif -%}{%- endfor -%} }{%- else -%}{{ x|tojson }}{%- endif -%}{%- endmacro -%}{{ render(nested) }}",
]


def snippets():
    for value in VALUES:
        yield "{{ " + value + " }}"
        for name in SIMPLE_FILTERS:
            yield "{{ (" + value + ")|" + name + " }}"
        for name in TESTS:
            yield "{{ (" + value + ") is " + name + " }}"
    for left in OPERANDS:
        for operator in OPERATORS:
            for right in OPERANDS:
                if operator == "**" and "big" in (left, right):
                    continue  # Python would compute the billions of digits
                yield "{{ (" + left + ") " + operator + " (" + right + ") }}"
    for text in TEXTS:
        for method in METHODS:
            yield "{{ (" + text + ")." + method + " }}"
    for line in EXPRESSIONS.strip("\n").split("\n"):
        line = line.replace("\\\\", "\\")
        yield "{{ " + line + " }}"
        yield "[{% if " + line + " %}y{% else %}n{% endif %}]"
    yield from STATEMENTS
