// A route is one record in its own file, server/routes/NAME.cpp: method, path, fields, help and handler together. The
// build collects the folder (all_routes()); the table of fields checks bodies and documents them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/conversations/conversations.h"
#include "assistant/documents/pdf.h"
#include "assistant/inference/model_pool.h"
#include "base/json.h"
#include "security/keys/keys.h"
#include "server/api/errors.h"
#include "server/api/reader.h"
#include "server/api/response_store.h"
#include "server/app/event_streams.h"
#include "server/app/retention.h"
#include "server/http/exchange.h"
#include "server/stored_models.h"

namespace ingle::server {

class App;
class Inspector;

/// What a request's sender has to be allowed.
enum class Scope : uint8_t {
  none,    ///< anybody who reaches the server
  chat,    ///< inference and the list of models: also processes of the server's own user, without a key
  models,  ///< fetching and removing models: a key for that, or the server's user through the socket
  keyed,   ///< more about the server: any key, or its user through the socket
  person,  ///< the person's conversations and settings: a key for admin, or the server's user through the socket
};

/// A request on its way to a handler.
struct Call {
  std::shared_ptr<Exchange> exchange;
  assistant::ModelPool* pool = nullptr;
  StoredModels* stored = nullptr;
  std::shared_ptr<ResponseStore> responses;
  assistant::Conversations* conversations = nullptr;
  EventStreams* events = nullptr;
  Inspector* inspector = nullptr;
  App* app = nullptr;
  Retention* retention = nullptr;
  assistant::PdfReader* pdf = nullptr;
  security::Keys* keys = nullptr;   ///< null: the server has none
  bool ready = true;                ///< the model that the server was started with has been loaded
  assistant::Model model;           ///< that the body names, or the only one; null: it names none, or none that is here
  base::Json body;                  ///< an object; null where the route takes none
  std::string parameter;            ///< what stood for {…} in the path
  std::string principal;            ///< whose prefixes it may use
  std::string client;               ///< whose share of the machine it takes
  bool keyed = false;               ///< Scope::keyed is open to it
  std::string token;                ///< the key that it came with; empty: none
  std::string origin;               ///< of the pages that this server shows where it was asked; empty: a Unix socket
  std::vector<std::string> unused;  ///< hints that came and have no effect
  Headers headers;                  ///< more of the response's
  Family family = Family::openai;
  /// Whether the key that it came with has been revoked since, or has expired; null: it came without one.
  std::function<bool()> key_is_gone;
  /// Runs what takes minutes, and is told by `stored` to stop.
  std::function<void(std::function<void()>)> in_background;
  /// Runs what takes moments, on a thread that reads bodies.
  std::function<void(std::function<void()>)> soon;
  /// Runs what asks a model that is in memory, on a thread of its own name.
  std::function<void(const std::string& model, std::function<void()>)> at_model;
  /// Runs what asks the model again, on a thread as that of the handler.
  std::function<void(std::function<void()>)> resume;

  void respond(const base::Json& json, int status = 200);
  void fail(const ApiError& error);
  /// After what asks a model: of a key that went meanwhile, nothing is kept.
  void submitted() const;
  /// With what goes into every answer.
  HttpResponse response(std::string content_type) const;
};

struct Route {
  std::string_view method, path;  ///< path: "/v1/models/{model}"; what stands for {…} may hold '/'
  Family family = Family::openai;
  Scope scope = Scope::chat;
  std::string_view summary;
  std::string_view parameter{};     ///< help for what stands for {…} in the path
  std::span<const Field> fields{};  ///< none: it takes no body; with `stream`, it answers in pieces where that is true
  std::string_view answers = "application/json";  ///< the type of its answer as a whole
  bool asks_model = true;  ///< the model that the body names is loaded before the handler is called
  /// Of one of several threads; it may wait for a model's answer, but not for what is generated.
  void (*handle)(Call& call) = nullptr;
};

/// Of server/routes, generated.
std::span<const Route* const> all_routes();

/// `call.model`, or nullptr after call.fail(), where the body names none that is here.
assistant::ModelService* model_of(Call& call, Reader& reader);
/// As far as they are known: of a model that does not answer, nothing is going on.
core::SchedulerStats stats_of(assistant::ModelService& model);

}  // namespace ingle::server
