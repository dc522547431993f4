// Constraint and Matcher.
#include "core/grammar/matcher.h"

#include <algorithm>

#include "core/grammar/mask.h"

namespace ingle::core {

Constraint::Constraint(std::shared_ptr<const grammar::Program> program, std::shared_ptr<const TokenTrie> trie,
                       uint64_t bytes)
    : program_(std::move(program)), trie_(std::move(trie)), cache_(std::make_unique<MaskCache>(bytes)) {}
Constraint::~Constraint() = default;

std::shared_ptr<const Constraint> Constraint::make(const Grammar& grammar, std::shared_ptr<const TokenTrie> trie,
                                                   uint64_t cache_bytes) {
  return std::shared_ptr<const Constraint>(new Constraint(grammar.program(), std::move(trie), cache_bytes));
}

Matcher::Matcher(std::shared_ptr<const Constraint> constraint) : constraint_(std::move(constraint)) {
  grammar::Reader reader(constraint_->program(), stack_);
  complete_ = reader.start(readings_);
  live_nodes_ = stack_.heads.size();
}

void Matcher::fill_mask(std::span<uint32_t> bits) const {
  const TokenTrie& trie = constraint_->trie();
  bits = bits.first(trie.mask_words());
  std::fill(bits.begin(), bits.end(), 0);
  if (ended_) return;
  grammar::ReturnStack scratch = stack_;
  MaskWalk(*constraint_, scratch, bits).run(readings_);
  if (!complete_) return;
  for (const TokenId id : trie.stop_ids()) {
    if (id >= 0 && static_cast<uint32_t>(id) < trie.vocabulary_size())
      bits[static_cast<size_t>(id) / 32] |= 1u << (id % 32);
  }
}

bool Matcher::is_stop(TokenId token) const {
  const std::vector<TokenId>& stops = constraint_->trie().stop_ids();
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

bool Matcher::accept(TokenId token) {
  if (ended_) return false;
  if (complete_ && is_stop(token)) {
    ended_ = true;
    return true;
  }
  const std::string_view bytes = constraint_->trie().bytes(token);
  return !bytes.empty() && accept_bytes(bytes);
}

bool Matcher::accept_text(std::string_view text) {
  const auto is_mark = [](char c) { return static_cast<uint8_t>(c) >= grammar::kMarkEnd; };
  if (ended_ || std::any_of(text.begin(), text.end(), is_mark)) return text.empty();
  return accept_bytes(text);
}

bool Matcher::accept_bytes(std::string_view bytes) {
  const grammar::ReturnStack::Size before = stack_.size();
  grammar::Reader reader(constraint_->program(), stack_);
  std::vector<grammar::Reading> now = readings_, next;
  bool complete = complete_;
  for (const char c : bytes) {
    const size_t last = now.size();
    complete = reader.step(now, 0, last, static_cast<uint8_t>(c));
    now.erase(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(last));
    if (now.empty() && !complete) {
      stack_.cut(before);
      return false;
    }
  }
  readings_ = std::move(now);
  complete_ = complete;
  if (stack_.heads.size() > 2 * live_nodes_ + 64 || stack_.returns.size() > 4 * live_nodes_ + 256) {
    stack_.compact(readings_);
    live_nodes_ = stack_.heads.size();
  }
  return true;
}

namespace {

/// The byte that every reading wants, or -1. A mark begins a control token, another way to write what follows.
int only_byte(const grammar::Program& program, const grammar::Reader& reader,
              std::span<const grammar::Reading> readings) {
  int only = -1;
  for (const grammar::Reading& reading : readings) {
    const grammar::Program::State& state = program.states[reading.state];
    for (uint32_t e = state.edges; e < state.edges + state.edge_count; e++) {
      const grammar::Edge& edge = program.edges[e];
      uint32_t count = reading.count;
      if (edge.hi == grammar::kMarkBegin || !reader.pass(edge.guard, program.rules[state.rule], count)) continue;
      if (edge.lo != edge.hi || (only >= 0 && only != edge.lo)) return -1;
      only = edge.lo;
    }
  }
  return only;
}

}  // namespace

std::string Matcher::forced(size_t max_bytes) const {
  std::string out;
  if (ended_) return out;
  grammar::ReturnStack stack = stack_;
  const grammar::Program& program = constraint_->program();
  grammar::Reader reader(program, stack);
  std::vector<grammar::Reading> now = readings_;
  bool complete = complete_;
  while (out.size() < max_bytes && !complete && !now.empty()) {
    const int only = only_byte(program, reader, now);
    if (only < 0) break;
    const size_t last = now.size();
    complete = reader.step(now, 0, last, static_cast<uint8_t>(only));
    now.erase(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(last));
    out += static_cast<char>(only);
  }
  return out;
}

}  // namespace ingle::core
