"""Deterministic test strings for tokenizers: all scripts, emoji, code, white space, controls, numbers, random Unicode."""

import random

SENTENCES = """The quick brown fox jumps over the lazy dog; I'll say it's DON'T, we've, they'RE, he'D, I'M, you'Ll!
Falsches Üben von Xylophonmusik quält jeden größeren Zwerg. Straße, ẞ, ß.
Voix ambiguë d’un cœur qui, au zéphyr, préfère les jattes de kiwis. L'été, aujourd'hui.
El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia. ¿Qué? ¡Sí!
Съешь же ещё этих мягких французских булок, да выпей чаю. Ёлка й ї ґ
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΑΒΓ άέή ῶ ᾳ
نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق ١٢٣٤٥ ؟
דג סקרן שט בים מאוכזב ולפתע מצא לו חברה. שָׁלוֹם
ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश १२३ क्षत्रिय।
আমি বাংলায় গান গাই। কৃষ্ণ ১২৩
தமிழ் மொழி யாமறிந்த மொழிகளிலே இனிதாவது கிடையாது ௧௨
ภาษาไทยไม่มีช่องว่างระหว่างคำ เป็นมนุษย์สุดประเสริฐเลิศคุณค่า ๑๒๓
ພາສາລາວ ມີຄວາມສວຍງາມ ໑໒
ជំរាបសួរ ពិភពលោក ១២៣
မြန်မာဘာသာစကား ၁၂၃
いろはにほへと ちりぬるを 色は匂へど カタカナ ﾊﾝｶｸ 「東京都」、２０２４年。
天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。我能吞下玻璃而不伤身体。𠮷野家 㐂
키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 훈민정음 ᄀᆞᆷ
Příliš žluťoučký kůň úpěl ďábelské ódy. Zażółć gęślą jaźń.
Tiếng Việt: Con sói nâu nhảy qua con chó lười. ệ ộ ữ
İstanbul'da ıssız ığdır; IĞDIR, İİ iı
გთხოვთ ახლავე გაიაროთ რეგისტრაცია. ႠႡႢ ᲐᲑᲒ
Զանգակատան մեջ. Աաբբ և ﬓ
ሰማይ አይታረስ ንጉሥ አይከሰስ። ፩፪፫
ᚠᛇᚻ᛫ᛒᛦᚦ ᚠᚱᚩᚠᚢᚱ ᏣᎳᎩ ꮳꮃꭹ
བོད་སྐད། ༡༢༣ ᠮᠣᠩᠭᠣᠯ
ⲠⲈⲚⲒⲰⲦ 𐐀𐐨𐑏 𞤀𞤣𞤤𞤢𞤥 𑄌𑄋𑄴𑄟𑄳𑄦 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 ⅷ Ⅻ ½ ¾ ² ³ ¹ ①②
x² + y³ ≤ ∑∫√π × ÷ ± ∞ ≠ → ⇒ ∀∃ €£¥₹ ™©® § ¶ † ‡ … — – ‘ ’ “ ” « » ‹ ›""".split("\n")

CODE = (
    r'''def f(x: int, *args, **kw) -> str:\n    """Doc."""\n    return f"{x!r:>10}" if x >= 0 else 'neg'\n
for (size_t i = 0; i < n; ++i) { a[i] += b[i] * 0x1F; /* note */ } // end
#include <stdio.h>\n\nint main(void) {\n\tprintf("%d\\n", 42);\n\treturn 0;\n}
SELECT * FROM `t` WHERE a != 'b''c' AND n <> 1e-10;
<div class="a-b" id='x'>&nbsp;&amp;</div><!-- c -->
{"key": [1, 2.5, -3e+7, null, true], "s": "\u00e9\\"}
https://example.org/path?q=a%20b&c=d#frag user@mail.example C:\\Users\\x ~/file.tar.gz
$ git commit -m "fix: don't" && rm -rf ./build/*.o | grep -E '^[a-z]+$'
if(!a||b&&c){return-1;}else{++d;--e;f<<=2;g>>>=3}
    \t  mixed\t indentation\n        eight\n\t\ttabs
\\begin{equation} \\frac{a}{b} \\end{equation} ### Title\n- item\n* item\n1. one\n```py\nx\n```
+-----+-----+\n|  a  |  b  |\n+=====+=====+ ====== ------ ...... !!!!!! ?!?! ((()))'''.replace("\\n", "\n")
    .replace("\\t", "\t")
    .split("\n")
)

EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "1️⃣", "❤️‍🔥", "🧑🏿‍🚀", "🫨", "☺️", "⏰", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👁️‍🗨️", "🪿", "🩷"]
SPACES = [
    " ",
    "  ",
    "   ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\x0b",
    "\x0c",
    "\x85",
    "\xa0",
    "\u1680",
    "\u2003",
    "\u200a",
    "\u2028",
    "\u2029",
    "\u202f",
    "\u205f",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u180e",
    "    ",
    "\n\n",
    " \n",
    "\n ",
]
CONTRACTIONS = [
    "s",
    "t",
    "re",
    "ve",
    "m",
    "ll",
    "d",
    "S",
    "T",
    "RE",
    "Re",
    "rE",
    "VE",
    "M",
    "LL",
    "Ll",
    "D",
    "ſ",
    "ſt",
    "x",
    "",
    "K",
    "l",
    "r",
    "v",
    "L",
    "R",
]
MARKS = [
    "\u0301",
    "\u0300",
    "\u0327",
    "\u0323",
    "\u20d7",
    "\u093f",
    "\u094d",
    "\u0e31",
    "\u0651",
    "\u05b8",
    "\u3099",
    "\u0345",
    "\u1ab0",
    "\u0f71",
    "\ufe0f",
    "\u200d",
]
BLOCKS = [
    (0x20, 0x7F),
    (0xA0, 0x180),
    (0x180, 0x250),
    (0x370, 0x400),
    (0x400, 0x530),
    (0x530, 0x600),
    (0x600, 0x700),
    (0x900, 0x980),
    (0x980, 0xA00),
    (0xE00, 0xE80),
    (0xF00, 0x1000),
    (0x1000, 0x10A0),
    (0x10A0, 0x1100),
    (0x1100, 0x1200),
    (0x1200, 0x1380),
    (0x13A0, 0x1400),
    (0x1400, 0x1680),
    (0x1780, 0x1800),
    (0x1800, 0x18B0),
    (0x1C80, 0x1CC0),
    (0x1D00, 0x1E00),
    (0x1E00, 0x2000),
    (0x2000, 0x2070),
    (0x2070, 0x20D0),
    (0x2100, 0x2190),
    (0x2190, 0x2300),
    (0x2460, 0x2500),
    (0x2C00, 0x2C60),
    (0x2E00, 0x2E80),
    (0x3000, 0x3100),
    (0x3100, 0x3200),
    (0x4E00, 0x9FFF),
    (0xA000, 0xA4D0),
    (0xA640, 0xA720),
    (0xA720, 0xA800),
    (0xAC00, 0xD7A4),
    (0xF900, 0xFB00),
    (0xFB00, 0xFB50),
    (0xFE30, 0xFE70),
    (0xFF00, 0xFFF0),
    (0x10400, 0x10500),
    (0x10D40, 0x10D90),
    (0x11300, 0x113F0),
    (0x16D40, 0x16D80),
    (0x1D400, 0x1D800),
    (0x1E900, 0x1E960),
    (0x1F300, 0x1F700),
    (0x1F900, 0x1FB00),
    (0x20000, 0x20100),
    (0x2F800, 0x2FA20),
    (0xE0000, 0xE0200),
]
DIGITS = [0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0x17E0, 0xFF10, 0x1D7CE, 0x104A0]
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + "«»“”‘’…—–·¡¿、。「」！？，：；（）۔؟।፡᛫₍‰※"
MARKERS = ["<|im_start|>", "<|endoftext|>", "<s>", "</s>", "<unk>", "[CLS]", "[MASK]", "<0x0A>", "▁", "▁▁", "Ġ", "##a"]


def _scalar(rng):
    while True:
        value = rng.randrange(0x110000)
        if not 0xD800 <= value < 0xE000:
            return chr(value)


def _block_word(rng, longest=8):
    low, high = rng.choice(BLOCKS)
    return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, longest)))


def _ascii_word(rng):
    letters = "abcdefghijklmnopqrstuvwxyz"
    word = "".join(rng.choice(letters) for _ in range(rng.randint(1, 12)))
    return rng.choice([word, word.upper(), word.capitalize(), word[:3] + word[3:].upper()])


def _number(rng):
    zero = rng.choice(DIGITS) if rng.random() < 0.3 else 0x30
    return "".join(chr(zero + rng.randrange(10)) for _ in range(rng.randint(1, 12)))


def _slice(rng, text):
    begin = rng.randrange(len(text) + 1)
    return text[begin : begin + rng.randint(1, 40)]


PARTS = [
    (6, _ascii_word),
    (3, _number),
    (6, lambda rng: rng.choice(SPACES)),
    (2, lambda rng: rng.choice(SPACES) * rng.randint(1, 20)),
    (2, lambda rng: "".join(rng.choice(SPACES) for _ in range(rng.randint(1, 8)))),
    (4, lambda rng: " "),
    (3, lambda rng: rng.choice(PUNCTUATION) * rng.choice([1, 1, 1, 2, 3, 9])),
    (2, lambda rng: rng.choice(["'", "’", "`"]) + rng.choice(CONTRACTIONS)),
    (4, _block_word),
    (1, lambda rng: _scalar(rng)),
    (1, lambda rng: "".join(_scalar(rng) for _ in range(rng.randint(1, 6)))),
    (2, lambda rng: rng.choice(EMOJI) * rng.choice([1, 1, 2])),
    (3, lambda rng: rng.choice(MARKS) * rng.choice([1, 1, 2])),
    (3, lambda rng: _slice(rng, rng.choice(SENTENCES))),
    (3, lambda rng: _slice(rng, rng.choice(CODE))),
    (1, lambda rng: chr(rng.randrange(32)) if rng.random() < 0.8 else chr(rng.randrange(0x7F, 0xA0))),
    (1, lambda rng: rng.choice("ab=-*~ \n漢字한ก.ÀŁÄ0") * rng.randint(2, 70)),
    (1, lambda rng: rng.choice(MARKERS)),
]


def generate(count, seed=1):
    """`count` strings, the same for every run."""
    rng = random.Random(seed)
    out = ["", " ", "\n", "a", "'", "  a", "a  ", *SENTENCES, *CODE, *EMOJI, *SPACES]
    out += ["it'" + c for c in CONTRACTIONS] + ["IT'" + c + "x" for c in CONTRACTIONS]
    weights = [w for w, _ in PARTS]
    makers = [m for _, m in PARTS]
    while len(out) < count:
        parts = rng.choices(makers, weights, k=rng.choice([1, 2, 3, 4, 6, 10, 16]))
        out.append("".join(make(rng) for make in parts))
    return out[:count]
