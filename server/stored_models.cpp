#include "server/stored_models.h"

#include <algorithm>
#include <utility>

namespace ingle::server {

using base::Error;
using base::ErrorCode;

namespace {

/// A name that is not known has the store read again, as others may have pulled it; no more often than so.
constexpr std::chrono::seconds kFresh{1};
constexpr std::string_view kLatest = ":latest";

}  // namespace

void StoredModels::add(std::vector<std::string> names, store::InstalledModel model) {
  const std::lock_guard lock(mutex_);
  model.name = names.front();
  for (std::string& name : names) aliases_[std::move(name)] = model.name;
  own_.push_back(std::move(model));
}

const store::InstalledModel* StoredModels::known(const std::string& name) const {
  for (const auto* list : {&own_, &stored_})
    for (const store::InstalledModel& model : *list)
      if (model.name == name) return &model;
  return nullptr;
}

// With mutex_.
void StoredModels::refresh(bool at_once) {
  const auto now = std::chrono::steady_clock::now();
  if (!at_once && read_at_ && now - *read_at_ < kFresh) return;
  read_at_ = now;
  auto store = open();
  if (!store) return;
  if (auto list = store->list(); list.ok()) stored_ = std::move(list).value();
}

std::string StoredModels::name_of(std::string_view asked) {
  const std::lock_guard lock(mutex_);
  std::string name(asked);
  if (const auto alias = aliases_.find(name); alias != aliases_.end()) return alias->second;
  if (asked.ends_with(kLatest)) name.resize(name.size() - kLatest.size());
  if (known(name) == nullptr) refresh(false);
  return known(name) == nullptr ? std::string() : name;
}

std::string StoredModels::default_name() {
  const std::lock_guard lock(mutex_);
  return own_.empty() ? std::string() : own_.front().name;
}

base::Result<store::InstalledModel> StoredModels::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const store::InstalledModel* model = known(name)) return *model;
  return Error{ErrorCode::not_found, "there is no model '" + name + "'"};
}

std::vector<store::InstalledModel> StoredModels::list() {
  const std::lock_guard lock(mutex_);
  refresh(false);
  std::vector<store::InstalledModel> all = own_;
  for (const store::InstalledModel& model : stored_)
    if (std::ranges::find(own_, model.name, &store::InstalledModel::name) == own_.end()) all.push_back(model);
  std::ranges::sort(all, {}, &store::InstalledModel::name);
  return all;
}

void StoredModels::changed() {
  const std::lock_guard lock(mutex_);
  refresh(true);
}

}  // namespace ingle::server
