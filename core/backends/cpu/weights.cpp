#include "core/backends/cpu/weights.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/hash.h"

namespace ingle::core {

using base::Error;
using base::ErrorCode;

namespace {

/// Small enough to be in the nearest caches while it is packed, hashed and written.
constexpr size_t kBlockBytes = size_t{64} << 10;

/// How long the end of a program waits for a copy to be written; a slow disk then gets none.
constexpr int64_t kCopyPatienceNs = 3'000'000'000;

// SCHED_IDLE puts a thread behind everything else that wants to run.
void set_priority(pthread_t thread, int policy) {
  const sched_param none{};
  (void)::pthread_setschedparam(thread, policy, &none);
}

Error cancelled() {
  return Error{ErrorCode::cancelled, "loading was cancelled"};
}

size_t source_bytes(const MatrixSource& source) {
  return source.format->bytes(uint64_t{source.rows} * source.columns);
}

// What a copy's bytes follow from, put together for hashing. A file's bytes before its first tensor (GGUF's and
// safetensors' headers) stand for its content; its stamp and the blocks' hashes guard that.
class KeyText {
 public:
  void add(uint64_t value) { text_ += std::to_string(value) + ' '; }
  void add(std::string_view text) { text_.append(text).append(1, ' '); }
  std::string key() const { return base::hash128_hex(std::as_bytes(std::span(text_))); }

 private:
  std::string text_;
};

}  // namespace

std::optional<size_t> file_of(const MatrixSource& source, std::span<const base::MappedFile> files) {
  for (size_t i = 0; i < files.size(); ++i) {
    const std::span<const std::byte> bytes = files[i].bytes();
    if (source.data >= bytes.data() && source.data + source_bytes(source) <= bytes.data() + bytes.size()) return i;
  }
  return std::nullopt;
}

std::span<std::byte> Weights::Block::packed() const {
  auto* data = const_cast<std::byte*>(entry.packed.data);
  return {data + begin * entry.packed.panel_bytes, (end - begin) * entry.packed.panel_bytes};
}

std::span<const std::byte> Weights::Block::source_bytes() const {
  const size_t row_bytes = source.format->bytes(source.columns);
  const size_t first = begin * kPanelRows, last = std::min<size_t>(end * kPanelRows, source.rows);
  return {source.data + first * row_bytes, (last - first) * row_bytes};
}

Weights::~Weights() {
  copy_deadline_ns_ = base::monotonic_ns() + kCopyPatienceNs;
  if (copying_.joinable()) {
    // Now it is waited for: beside other programs an idle thread would take all of the time and get nowhere.
    set_priority(copying_.native_handle(), SCHED_OTHER);
    copying_.join();
  }
  device_.deallocate(memory_, memory_bytes_);
}

base::Status Weights::load(const Constants& constants, const WeightOptions& options, const PackProgress& progress) {
  plan(constants, options);
  INGLE_TRY(const bool copied, open_copy(options, progress));
  if (copied) {
    memory_bytes_ = other_bytes_;
    INGLE_TRY(memory_, device_.allocate(memory_bytes_));
    place(copy_.data().data(), memory_);
    unchecked_ = true;
  } else {
    memory_bytes_ = kept_bytes_ + other_bytes_;
    INGLE_TRY(memory_, device_.allocate(memory_bytes_));
    place(memory_, memory_ + kept_bytes_);
  }
  // Fewer page-table walks when streaming; where the system refuses, nothing is lost.
  (void)::madvise(memory_, memory_bytes_, MADV_HUGEPAGE);
  INGLE_CHECK(pack(progress));
  keep_copy(options);
  return {};
}

void Weights::plan(const Constants& constants, const WeightOptions& options) {
  constants_ = &constants;
  files_ = options.files;
  entries_.resize(constants.matrices.size());
  KeyText key;
  for (const uint64_t what : {uint64_t{PackedCopy::version}, uint64_t{kPackedLayoutVersion}, uint64_t{kBlockBytes}})
    key.add(what);
  std::vector<const std::byte*> first_tensor;
  for (const base::MappedFile& file : files_) first_tensor.push_back(file.bytes().data() + file.bytes().size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    const MatrixSource& source = constants.matrices[i];
    entry.multiplied = source.multiplied;
    const auto file = entry.file = file_of(source, files_);
    if (file) first_tensor[*file] = std::min(first_tensor[*file], source.data);
    if (!entry.multiplied) continue;
    entry.packed = plan_packed(source);
    entry.kept = file.has_value() && options.copies.used();
    if (!entry.kept) continue;
    key.add(*file);
    key.add(static_cast<uint64_t>(source.data - files_[*file].bytes().data()));
    key.add(source.format->name);
    key.add(source.rows);
    key.add(source.columns);
  }
  plan_matrices(true);
  kept_blocks_ = matrix_of_block_.size();
  plan_matrices(false);
  for (size_t i = 0; i < files_.size(); ++i) {
    const std::span<const std::byte> bytes = files_[i].bytes();
    key.add(bytes.size());
    key.add(base::hash64(bytes.first(static_cast<size_t>(first_tensor[i] - bytes.data()))));
    shape_.stamps.push_back(files_[i].stamp());
  }
  shape_.key = key.key();
  shape_.data_bytes = kept_bytes_;
  shape_.blocks = kept_blocks_;
}

void Weights::plan_matrices(bool kept) {
  uint64_t& total = kept ? kept_bytes_ : other_bytes_;
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (!entry.multiplied || entry.kept != kept) continue;
    entry.offset = total;
    total += packed_bytes(entry.packed);
    entry.block_panels = std::max<size_t>(kBlockBytes / std::max<size_t>(entry.packed.panel_bytes, 1), 1);
    entry.first_block = matrix_of_block_.size();
    entry.blocks = (entry.packed.panels() + entry.block_panels - 1) / entry.block_panels;
    matrix_of_block_.insert(matrix_of_block_.end(), entry.blocks, static_cast<uint32_t>(i));
  }
}

void Weights::place(std::byte* kept, std::byte* others) {
  for (Entry& entry : entries_)
    if (entry.multiplied) entry.packed.data = (entry.kept ? kept : others) + entry.offset;
}

Weights::Block Weights::block(size_t index) const {
  const size_t matrix = matrix_of_block_[index];
  const Entry& entry = entries_[matrix];
  const size_t begin = (index - entry.first_block) * entry.block_panels;
  return {entry, constants_->matrices[matrix], index, begin,
          std::min(begin + entry.block_panels, entry.packed.panels())};
}

// A block's source, read into `buffer` where it lies in a file: a look through the mapping would give the process more
// of the file's pages than it asked for (2 MiB at a time where the system keeps them so), beside the weights packed
// from them.
base::Result<std::span<const std::byte>> Weights::read_source(const Block& block,
                                                              std::vector<std::byte>& buffer) const {
  const std::span<const std::byte> source = block.source_bytes();
  if (!block.entry.file) return source;
  buffer.resize(source.size());
  INGLE_CHECK(files_[*block.entry.file].read(source, buffer.data()));
  return std::span<const std::byte>(buffer);
}

// Whether the copy of an earlier load serves.
base::Result<bool> Weights::open_copy(const WeightOptions& options, const PackProgress& progress) {
  if (!options.copies.used() || kept_blocks_ == 0) return false;
  copy_path_ = options.copies.file(shape_);
  auto opened = PackedCopy::open(options.copies, shape_);
  if (!opened.ok()) {
    if (opened.error().code == ErrorCode::corrupt) use_ = PackedCopyUse::replaced;
    return false;
  }
  copy_ = std::move(opened).value();
  if (!copy_.sources_untouched()) {
    INGLE_TRY(const bool match, sources_match(progress));
    if (!match) {
      copy_ = {};
      return false;
    }
    copy_.keep_for(shape_);
  }
  use_ = PackedCopyUse::mapped;
  return true;
}

// Reads all of the sources: whether they are still what the copy was made from.
base::Result<bool> Weights::sources_match(const PackProgress& progress) {
  std::atomic<bool> match{true};
  INGLE_CHECK(each_block(0, kept_blocks_, progress, [&](const Block& b, std::span<const std::byte> source) {
    if (base::hash64(source) != copy_.blocks()[b.index].source_hash) match = false;
    return match.load();
  }));
  return match.load();
}

base::Status Weights::pack(const PackProgress& progress) {
  const size_t first = copy_.valid() ? kept_blocks_ : 0;
  INGLE_CHECK(
      each_block(first, matrix_of_block_.size(), progress, [](const Block& b, std::span<const std::byte> source) {
        pack_panels(b.source, b.entry.packed, b.begin, b.end, source.data());
        return true;
      }));
  if (progress && !progress(1.0)) return cancelled();
  return {};
}

// Shares out blocks [first, end) and their sources to all workers until a block's `work` returns false.
base::Status Weights::each_block(size_t first, size_t end, const PackProgress& progress,
                                 const std::function<bool(const Block&, std::span<const std::byte> source)>& work) {
  std::atomic<size_t> next{first};
  std::atomic<bool> enough{false}, stopped{false};
  std::mutex failure_mutex;
  base::Status failure;
  workers_.run([&](uint32_t worker) {
    std::vector<std::byte> buffer;
    for (size_t i; !enough && !stopped && (i = next.fetch_add(1)) < end;) {
      const Block b = block(i);
      auto source = read_source(b, buffer);
      if (!source.ok()) {
        const std::lock_guard lock(failure_mutex);
        failure = std::move(source).error();
        enough = true;
      } else if (!work(b, *source)) {
        enough = true;
      }
      const double fraction = static_cast<double>(i - first + 1) / static_cast<double>(end - first);
      if (worker == 0 && progress && !progress(fraction)) stopped = true;
    }
  });
  if (stopped) return cancelled();
  return failure;
}

// A copy only saves time: one that cannot be kept is no reason to fail.
void Weights::keep_copy(const WeightOptions& options) {
  if (copy_.valid() || kept_blocks_ == 0) return;
  auto created = PackedCopyWriter::create(options.copies, shape_);
  if (!created.ok()) {
    use_ = PackedCopyUse::none;  // a damaged one stays where it is
    return;
  }
  if (use_ != PackedCopyUse::replaced) use_ = PackedCopyUse::written;
  copying_ = std::thread([this, writer = std::move(created).value()] { write_copy(*writer); });
  // From here, so that it can't come after what the destructor sets.
  set_priority(copying_.native_handle(), SCHED_IDLE);
}

void Weights::write_copy(PackedCopyWriter& writer) {
  constexpr uint64_t chunk = PackedCopyWriter::kChunk;
  std::vector<std::byte> buffer;
  std::vector<PackedBlock> hashes(kept_blocks_);
  uint64_t written = 0;
  for (size_t i = 0; i < kept_blocks_; ++i) {
    const Block b = block(i);
    const auto source = read_source(b, buffer);
    if (!source.ok()) return;
    hashes[i] = {base::hash64(*source), base::hash64(b.packed())};
    const bool last = i + 1 == kept_blocks_;
    const auto packed = static_cast<uint64_t>(b.packed().data() + b.packed().size() - memory_);
    for (; written + chunk <= packed || (last && written < kept_bytes_); written += chunk) {
      if (base::monotonic_ns() > copy_deadline_ns_) return;
      writer.write(written, {memory_ + written, std::min(chunk, kept_bytes_ - written)});
    }
  }
  // The sources were hashed after they were packed. Had one changed in between (still being downloaded, say), the copy
  // would be taken for the new content's for ever.
  if (files_untouched()) (void)writer.commit(hashes);
}

bool Weights::files_untouched() const {
  return std::all_of(files_.begin(), files_.end(), [](const base::MappedFile& file) { return file.untouched(); });
}

void Weights::check(int32_t matrix, Counter& counter) {
  const Entry& entry = entries_[static_cast<size_t>(matrix)];
  counter.take(entry.kept ? entry.blocks : 0, 1, [&](size_t i, size_t) {
    const Block b = block(entry.first_block + i);
    if (base::hash64(b.packed()) == copy_.blocks()[b.index].packed_hash) return;
    if (!copy_.make_writable(b.packed())) {
      use_ = PackedCopyUse::broken;
      return;
    }
    std::vector<std::byte> buffer;
    const auto source = read_source(b, buffer);
    if (!source.ok()) {
      use_ = PackedCopyUse::broken;
      return;
    }
    pack_panels(b.source, b.entry.packed, b.begin, b.end, source->data());
    auto mapped = PackedCopyUse::mapped;
    use_.compare_exchange_strong(mapped, PackedCopyUse::mended);
  });
}

void Weights::set_checked() {
  unchecked_ = false;
  // The next load finds no copy and writes a sound one.
  std::error_code failure;
  if (use() != PackedCopyUse::mapped) std::filesystem::remove(copy_path_, failure);
}

}  // namespace ingle::core
