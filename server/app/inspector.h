// What open inspectors are told: how replies come to be, token by token, and how the device fares. It looks into the
// passes that write a reply, and only while somebody holds a stream open; what was seen of the latest replies stays in
// memory, and nowhere else.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "assistant/inference/model_pool.h"
#include "assistant/pacing/device_meter.h"
#include "base/json.h"
#include "base/result.h"
#include "server/http/exchange.h"

namespace ingle::server {

/// A reply that somebody looks at, while it is written.
class InspectedReply;

/// For any thread.
class Inspector : public std::enable_shared_from_this<Inspector> {
 public:
  struct Wishes {
    bool layers = false;    ///< keep what goes through the model's layers
    bool timeline = false;  ///< keep when each operation ran
  };
  /// Where what the engine keeps of a reply is.
  struct Place {
    std::string model;
    uint64_t key = 0;
  };

  /// `soon` runs what takes moments. The pool outlives it.
  Inspector(assistant::ModelPool& pool, std::function<void(std::function<void()>)> soon)
      : pool_(pool), soon_(std::move(soon)) {}
  ~Inspector() { close(); }

  /// Answers with a stream that ends when its reader goes, or with close().
  void open(const std::shared_ptr<Exchange>& exchange, HttpResponse head, Wishes wishes);
  /// Ends all streams, and those that are opened later.
  void close();

  /// A reply is about to be generated: sets what `request` observes. Null: nobody looks.
  std::shared_ptr<InspectedReply> begin(int64_t conversation, int64_t message, assistant::ModelService& model,
                                        assistant::GenerationRequest& request);
  /// What was seen of a reply, as JSON. Error: not_found.
  base::Result<std::string> recording(int64_t message) const;
  base::Result<Place> place(int64_t message) const;
  /// Forgets what was seen of all replies: some may have been deleted.
  void forget();

 private:
  friend class InspectedReply;
  struct Stream {
    std::shared_ptr<Exchange> exchange;
    Wishes wishes;
  };
  struct Reply {
    Place place;
    int64_t message = 0;
    base::Json json;     ///< as recording() answers, without tokens
    std::string tokens;  ///< JSON, with commas between
    uint32_t token_count = 0;
    uint32_t layer_tokens = 0;  ///< whose layers the engine has room for; 0: it keeps none
  };

  void tell(const base::Json& event);
  void tell_text(const std::string& text);
  void prune();
  void watch();
  base::Json device_event();
  static std::string whole(const Reply& reply);

  assistant::ModelPool& pool_;
  const std::function<void(std::function<void()>)> soon_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Stream> streams_;                 ///< guarded by mutex_, as all below
  std::deque<std::shared_ptr<Reply>> replies_;  ///< the latest last
  uint64_t next_key_ = 1;
  bool closed_ = false;
  std::thread watching_;  ///< there while there are streams
  bool watches_ = false;
  // Of watching_:
  assistant::DeviceMeter meter_;
  std::map<std::string, uint64_t> generated_;  ///< tokens, by model
  int64_t last_ns_ = 0;
};

class InspectedReply {
 public:
  InspectedReply(std::shared_ptr<Inspector> inspector, std::shared_ptr<Inspector::Reply> reply)
      : inspector_(std::move(inspector)), reply_(std::move(reply)) {}

  void heard(const assistant::ModelService& model, const core::GenerationEvent& event);

 private:
  const std::shared_ptr<Inspector> inspector_;
  const std::shared_ptr<Inspector::Reply> reply_;
};

}  // namespace ingle::server
