// A route is one record in its own file, server/routes/NAME.cpp: method, path, fields, help and handler together. The
// build collects the folder (all_routes()); the table of fields checks bodies and documents them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assistant/inference/model_service.h"
#include "base/json.h"
#include "server/api/errors.h"
#include "server/api/reader.h"
#include "server/api/response_store.h"
#include "server/http/exchange.h"

namespace ingle::server {

/// What a request's sender has to be allowed.
enum class Scope : uint8_t {
  none,   ///< anybody who reaches the server
  chat,   ///< inference and the list of models: also processes of the server's own user, without a key
  keyed,  ///< more about the server: any key, or its user through the socket
};

/// The models that are served.
class Models {
 public:
  virtual ~Models() = default;
  /// By a name of it; nullptr: none is called so. It stays until the server ends.
  virtual assistant::ModelService* find(std::string_view name) = 0;
  virtual std::vector<assistant::ModelService*> all() = 0;
};

/// A request on its way to a handler.
struct Call {
  std::shared_ptr<Exchange> exchange;
  Models* models = nullptr;
  std::shared_ptr<ResponseStore> responses;
  base::Json body;                  ///< an object; null where the route takes none
  std::string parameter;            ///< what stood for {…} in the path
  std::string principal;            ///< whose prefixes it may use
  std::string client;               ///< whose share of the machine it takes
  bool keyed = false;               ///< Scope::keyed is open to it
  std::vector<std::string> unused;  ///< hints that came and have no effect
  Headers headers;                  ///< more of the response's
  Family family = Family::openai;

  void respond(const base::Json& json, int status = 200);
  void fail(const ApiError& error);
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
  void (*handle)(Call& call) = nullptr;
};

/// Of server/routes, generated.
std::span<const Route* const> all_routes();

/// The field `model` of a body, or the only model: the service, or nullptr after call.fail().
assistant::ModelService* model_of(Call& call, Reader& reader);

}  // namespace ingle::server
