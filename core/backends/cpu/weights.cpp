#include "core/backends/cpu/weights.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

/// How much is packed at a time where it goes to the disk at once.
constexpr uint64_t kStageBytes = uint64_t{32} << 20;

/// In parts of this size disks read fast, and what was read is hashed while it is in the nearer caches.
constexpr uint64_t kReadBytes = uint64_t{1} << 20;

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

void Weights::Block::pack(std::span<const std::byte> rows, std::byte* to) const {
  MatrixSource part = source;
  part.rows = static_cast<uint32_t>(std::min<size_t>(source.rows - begin * kPanelRows, (end - begin) * kPanelRows));
  PackedMatrix target = entry.packed;
  target.data = to;
  pack_panels(part, target, 0, end - begin, rows.data());
}

std::span<const std::byte> Weights::Block::source_bytes() const {
  const size_t row_bytes = source.format->bytes(source.columns);
  const size_t first = begin * kPanelRows, last = std::min<size_t>(end * kPanelRows, source.rows);
  return {source.data + first * row_bytes, (last - first) * row_bytes};
}

Weights::~Weights() {
  stream_.reset();
  device_.deallocate(ring_, stream_plan_.ring_bytes);
  copy_deadline_ns_ = base::monotonic_ns() + kCopyPatienceNs;
  if (copying_.joinable()) {
    // Now it is waited for: beside other programs an idle thread would take all of the time and get nowhere.
    set_priority(copying_.native_handle(), SCHED_OTHER);
    copying_.join();
  }
  device_.deallocate(memory_, memory_bytes_);
}

base::Status Weights::load(const Constants& constants, const Program& program, const WeightOptions& options,
                           const PackProgress& progress) {
  plan(constants, options);
  stream_plan_ = plan_stream(constants, program, options.files, options.excess_bytes);
  INGLE_TRY(bool copied, open_copy(options, progress));
  if (!copied && stream_plan_.bytes > 0) {
    INGLE_CHECK(pack_to_copy(options, progress));
    INGLE_TRY(copy_, PackedCopy::open(options.copies, shape_));
    copied = true;
  }
  if (copied) {
    memory_bytes_ = other_bytes_;
    INGLE_TRY(memory_, device_.allocate(memory_bytes_));
    place(copy_.data().data(), memory_);
    unchecked_ = true;
    INGLE_CHECK(start_stream(program));
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

// Where memory has no room for the packed weights: some at a time, straight to the disk.
base::Status Weights::pack_to_copy(const WeightOptions& options, const PackProgress& progress) {
  auto created = PackedCopyWriter::create(options.copies, shape_);
  if (!created.ok())
    return Error{created.error().code, "the packed weights do not fit in memory and so have to be kept on disk: " +
                                           created.error().message + "; make room, or use a smaller model"};
  PackedCopyWriter& writer = **created;
  uint64_t largest = 0;
  for (size_t i = 0; i < kept_blocks_; ++i) largest = std::max<uint64_t>(largest, block(i).packed_size());
  constexpr uint64_t chunk = PackedCopyWriter::kChunk;
  std::vector<std::byte> stage(std::max(kStageBytes, largest + chunk));
  std::vector<PackedBlock> hashes(kept_blocks_);
  uint64_t written = 0;  // what the stage begins behind
  for (size_t first = 0, end = 0; first < kept_blocks_; first = end) {
    uint64_t staged = 0;
    for (; end < kept_blocks_; ++end) {
      const Block b = block(end);
      if (b.offset() + b.packed_size() - written > stage.size()) break;
      staged = b.offset() + b.packed_size() - written;
    }
    const auto of_all = [&](double done) {
      const auto blocks = static_cast<double>(first) + done * static_cast<double>(end - first);
      return progress(blocks / static_cast<double>(kept_blocks_));
    };
    INGLE_CHECK(each_block(first, end, progress ? PackProgress(of_all) : PackProgress(),
                           [&](const Block& b, std::span<const std::byte> source) {
                             std::byte* const to = stage.data() + (b.offset() - written);
                             b.pack(source, to);
                             hashes[b.index] = {base::hash64(source), base::hash64({to, b.packed_size()})};
                             return true;
                           }));
    const uint64_t whole = end == kept_blocks_ ? staged : staged / chunk * chunk;
    for (uint64_t at = 0; at < whole; at += chunk)
      writer.write(written + at, {stage.data() + at, std::min(chunk, whole - at)});
    writer.release(written, whole);
    std::memmove(stage.data(), stage.data() + whole, staged - whole);
    written += whole;
  }
  if (!files_untouched()) return Error{ErrorCode::busy, "the model's file was changed while it was being packed"};
  if (use_ != PackedCopyUse::replaced) use_ = PackedCopyUse::written;
  return writer.commit(hashes);
}

base::Status Weights::start_stream(const Program& program) {
  if (stream_plan_.bytes == 0) return {};
  INGLE_TRY(ring_, device_.allocate(stream_plan_.ring_bytes));
  for (const StreamedMatrix& item : stream_plan_.order) {
    Entry& entry = entries_[static_cast<size_t>(item.matrix)];
    entry.streamed = true;
    copy_.unmap(entry.offset, packed_bytes(entry.packed));
    entry.packed.data = ring_ + item.place + entry.offset % PackedCopy::kSector;
  }
  stream_ = std::make_unique<WeightStream>(stream_plan_, program.kernels.size(),
                                           [this](const StreamedMatrix& item) { read_streamed(item); });
  return {};
}

// Each block is compared with its hash whenever it was read, and made again from the model's file where it is not what
// it was: damaged, or not there any more.
void Weights::read_streamed(const StreamedMatrix& item) {
  const Entry& entry = entries_[static_cast<size_t>(item.matrix)];
  const uint64_t bytes = packed_bytes(entry.packed);
  auto* const to = const_cast<std::byte*>(entry.packed.data);
  uint64_t have = 0;  // after a failure, as if all were there: what is not fails its hash
  for (size_t i = entry.first_block; i < entry.first_block + entry.blocks; ++i) {
    const Block b = block(i);
    const uint64_t end = b.offset() + b.packed_size() - entry.offset;
    while (have < end) {
      // Up to a sector's end: what is read starts at one, or at the matrix.
      const uint64_t upto = (entry.offset + have + kReadBytes) / PackedCopy::kSector * PackedCopy::kSector;
      const uint64_t part = std::min(upto - entry.offset, bytes) - have;
      have = copy_.read(entry.offset + have, part, to + have) == part ? have + part : bytes;
    }
    if (base::hash64(b.packed()) == copy_.blocks()[b.index].packed_hash) continue;
    (void)mend(b, stream_buffer_);
    copy_.forget();
  }
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
  counter.take(entry.kept && !entry.streamed ? entry.blocks : 0, 1, [&](size_t i, size_t) {
    const Block b = block(entry.first_block + i);
    if (base::hash64(b.packed()) == copy_.blocks()[b.index].packed_hash) return;
    std::vector<std::byte> buffer;
    (void)mend(b, buffer);
  });
}

// Packs a damaged block of a copy again. False: then what is computed is wrong, and status() says so.
bool Weights::mend(const Block& block, std::vector<std::byte>& buffer) {
  base::Status status;
  if (!block.entry.streamed && !copy_.make_writable(block.packed()))
    status = Error{ErrorCode::out_of_memory,
                   "the copy of the packed weights was damaged and there is no memory to mend it; it is deleted, so "
                   "that the next start does without it"};
  if (status.ok()) {
    auto source = read_source(block, buffer);
    if (source.ok())
      block.pack(*source, block.packed().data());
    else
      status = std::move(source).error();
  }
  const std::lock_guard lock(mend_mutex_);
  if (!status.ok()) {
    use_ = PackedCopyUse::broken;
    mend_status_ = std::move(status);
    return false;
  }
  if (use_ != PackedCopyUse::broken) use_ = PackedCopyUse::mended;
  return true;
}

base::Status Weights::status() const {
  if (use() != PackedCopyUse::broken) return {};
  const std::lock_guard lock(mend_mutex_);
  return mend_status_;
}

uint64_t Weights::preload(uint64_t from, uint64_t bytes) const {
  if (!copy_.valid() || streamed_bytes() != 0) return 0;
  const std::span<std::byte> data = copy_.data();
  if (from >= data.size()) return 0;
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::span<std::byte> part = data.subspan(from / page * page).first(std::min(bytes, data.size() - from));
  // Maps what it reads, so that the first pass need not; older kernels than 5.14 only read.
  if (::madvise(part.data(), part.size(), MADV_POPULATE_READ) != 0 && errno == EINVAL)
    (void)::madvise(part.data(), part.size(), MADV_WILLNEED);
  return from + bytes < data.size() ? from + bytes : 0;
}

void Weights::set_checked() {
  unchecked_ = false;
  // The next load finds no copy and writes a sound one.
  if (use() == PackedCopyUse::mended || use() == PackedCopyUse::broken) copy_.forget();
}

}  // namespace ingle::core
