#include "assistant/inference/model_pool.h"

#include <algorithm>
#include <utility>

#include "assistant/inference/model_files.h"
#include "core/scheduler/prefix_files.h"

namespace ingle::assistant {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Models in use are looked at so often, to know when they were used last.
constexpr milliseconds kLook{1000};
/// At the end, for those who still hold a model.
constexpr seconds kGrace{5};

}  // namespace

// Ending a model takes seconds and waits for its threads, of which the one that lets go last may be one.
struct ModelPool::Ended {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::unique_ptr<ModelService>> models;
  size_t held = 0;      ///< models that somebody holds
  bool closed = false;  ///< nobody looks here any more

  std::vector<std::unique_ptr<ModelService>> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(models, {});
  }
};

ModelPool::ModelPool(ModelPoolOptions options) : options_(std::move(options)), ended_(std::make_shared<Ended>()) {
  if (!options_.off) thread_ = std::thread([this] { run(); });
}

ModelPool::~ModelPool() {
  end();
  std::unique_lock lock(ended_->mutex);
  ended_->changed.wait_for(lock, kGrace, [this] { return ended_->held == 0; });
  ended_->closed = true;
  const auto last = std::exchange(ended_->models, {});
  lock.unlock();
}

void ModelPool::end() {
  std::vector<Entry> entries;
  std::vector<Model> held;
  std::map<std::string, std::vector<Then>> asked;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = closed_ = true;
    asked.swap(asked_);
  }
  changed_.notify_all();
  for (const auto& [name, waiting] : asked)
    for (const Then& then : waiting) then(Error{ErrorCode::cancelled, "the server ends"});
  if (thread_.joinable()) thread_.join();  // after which nothing is loaded or dropped
  {
    const std::lock_guard lock(mutex_);
    entries.swap(entries_);
    held = all_held();
  }
  for (const Model& model : held) model->end();
}

// With mutex_.
Model ModelPool::lease(std::unique_ptr<ModelService> model) {
  {
    const std::lock_guard lock(ended_->mutex);
    ++ended_->held;
  }
  model->set_pace(pace_);
  Model leased(model.release(), [ended = ended_](ModelService* gone) {
    std::unique_ptr<ModelService> owned(gone);
    const std::lock_guard lock(ended->mutex);
    --ended->held;
    if (ended->closed) {
      static_cast<void>(owned.release());  // the program ends, and with it the process
    } else {
      ended->models.push_back(std::move(owned));
    }
    ended->changed.notify_all();
  });
  std::erase_if(leased_, [](const auto& each) { return each.expired(); });
  leased_.push_back(leased);
  return leased;
}

// With mutex_.
std::vector<Model> ModelPool::all_held() const {
  std::vector<Model> held;
  for (const std::weak_ptr<ModelService>& leased : leased_)
    if (Model model = leased.lock()) held.push_back(std::move(model));
  return held;
}

ModelPool::Entry* ModelPool::entry_of(const std::string& name) {
  const auto found = std::ranges::find(entries_, name, &Entry::name);
  return found == entries_.end() ? nullptr : &*found;
}

void ModelPool::add(const std::string& name, std::unique_ptr<ModelService> model, KeepAlive keep_alive) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({name, lease(std::move(model)), keep_alive, options_.now()});
}

Model ModelPool::find(std::string_view asked) {
  const std::string name = options_.name_of(asked);
  const std::lock_guard lock(mutex_);
  const Entry* entry = name.empty() ? nullptr : entry_of(name);
  return entry == nullptr ? nullptr : entry->model;
}

base::Status ModelPool::may_load() const {
  if (options_.off) return *options_.off;
  return {};
}

void ModelPool::when_loaded(std::string_view asked, Then then) {
  if (options_.off) return then(*options_.off);
  const std::string name = options_.name_of(asked);
  if (name.empty()) return then(Error{ErrorCode::not_found, "there is no model '" + std::string(asked) + "'"});
  Model there;
  {
    const std::lock_guard lock(mutex_);
    if (Entry* entry = entry_of(name)) {
      entry->last_used = options_.now();
      there = entry->model;
    } else if (!closed_) {
      asked_[name].push_back(std::move(then));
      changed_.notify_all();
      return;
    }
  }
  if (there) return then(std::move(there));
  then(Error{ErrorCode::busy, "the server ends"});
}

std::vector<ModelPool::Resident> ModelPool::resident() {
  const std::lock_guard lock(mutex_);
  std::vector<const Entry*> sorted;
  for (const Entry& entry : entries_) sorted.push_back(&entry);
  std::ranges::sort(sorted, [](const Entry* a, const Entry* b) { return a->last_used > b->last_used; });
  std::vector<Resident> models;
  for (const Entry* entry : sorted) {
    Resident resident{entry->model, std::nullopt};
    if (entry->keep_alive) {
      const auto left = std::chrono::duration_cast<seconds>(entry->last_used + *entry->keep_alive - options_.now());
      resident.left = std::max(left, seconds(0));
    }
    models.push_back(std::move(resident));
  }
  return models;
}

void ModelPool::keep(const ModelService& model, KeepAlive keep_alive) {
  {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : entries_)
      if (entry.model.get() == &model) entry.keep_alive = keep_alive;
  }
  changed_.notify_all();
}

bool ModelPool::drop(const std::string& name) {
  std::vector<Entry> dropped;
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->name == name) {
      dropped.push_back(std::move(*entry));
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
  changed_.notify_all();
  return !dropped.empty();
}

void ModelPool::set_pace(const core::Pace& pace) {
  std::vector<Model> models;
  {
    const std::lock_guard lock(mutex_);
    pace_ = pace;
    for (const Entry& entry : entries_) models.push_back(entry.model);
  }
  for (const Model& model : models) model->set_pace(pace);
}

void ModelPool::forget(const std::string& principal) {
  std::vector<Model> held;  // also by those who answer with one that was dropped
  {
    const std::lock_guard lock(mutex_);
    held = all_held();
  }
  for (const Model& model : held) model->forget(principal);
  core::forget_prefixes(prefix_folder(options_.cache_folder), principal);
}

void ModelPool::forget_file(const std::filesystem::path& model) {
  remove_kept_files(options_.cache_folder, model);
}

void ModelPool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const Entry& entry : entries_) entry.model->close();
}

void ModelPool::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!asked_.empty()) {
      load(lock);
    } else {
      changed_.wait_for(lock, kLook);
    }
    if (!stopping_) drop_idle();
    lock.unlock();
    ended_->take().clear();
    lock.lock();
  }
}

// The first of what was asked for. The lock is open meanwhile.
void ModelPool::load(std::unique_lock<std::mutex>& lock) {
  const std::string name = asked_.begin()->first;
  base::Result<std::unique_ptr<ModelService>> loaded =
      Error{ErrorCode::busy, "all places for models are in use; try later, or serve with more (--models)"};
  while (entries_.size() < options_.most || make_room(lock)) {
    lock.unlock();
    loaded = options_.load(name);
    lock.lock();
    // Memory that a model takes which nobody uses is free.
    if (loaded.ok() || loaded.error().code != ErrorCode::out_of_memory || !make_room(lock)) break;
  }
  const std::vector<Then> waiting = std::exchange(asked_[name], {});
  asked_.erase(name);
  base::Result<Model> outcome = Error{ErrorCode::cancelled, "the server ends"};
  if (!loaded.ok()) {
    outcome = std::move(loaded).error();
  } else if (!stopping_) {
    entries_.push_back({name, lease(std::move(loaded).value()), options_.keep_alive, options_.now()});
    outcome = entries_.back().model;
  }
  lock.unlock();
  for (const Then& then : waiting) then(outcome);
  lock.lock();
}

// Drops the model that was not used for longest, of those that nobody uses and that are not to stay. False: there is
// none.
bool ModelPool::make_room(std::unique_lock<std::mutex>& lock) {
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry)
    if (!entry->in_use() && entry->keep_alive && (oldest == entries_.end() || entry->last_used < oldest->last_used))
      oldest = entry;
  if (oldest == entries_.end()) return false;
  entries_.erase(oldest);
  lock.unlock();
  ended_->take().clear();
  lock.lock();
  return true;
}

void ModelPool::drop_idle() {
  const auto now = options_.now();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->in_use()) entry->last_used = now;
    if (entry->in_use() || !entry->keep_alive || now - entry->last_used < *entry->keep_alive) {
      ++entry;
    } else {
      entry = entries_.erase(entry);
    }
  }
}

}  // namespace ingle::assistant
