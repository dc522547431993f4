// ingle ps: the models that running servers hold, on what they run, and what they do.
#include <algorithm>

#include "cli/interrupt.h"
#include "cli/running.h"
#include "store/http.h"

namespace ingle::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;
using base::Result;
using base::Status;

constexpr size_t kMaxAnswer = size_t{4} << 20;

/// What the server's /api/ps answers. Errors: network, corrupt, unsupported.
Result<Json> ask(const RunningServer& server) {
  std::string base = "http://localhost";
  store::HttpOptions options;
  options.unix_socket = server.socket;
  options.stall_seconds = options.connect_seconds = 10;
  if (server.socket.empty()) {
    const bool any = server.host == "0.0.0.0" || server.host == "::";
    if (server.tls || (!any && server.host != "localhost" && server.host != "::1" && !server.host.starts_with("127.")))
      return Error{ErrorCode::unsupported, "the server at " + server.address() +
                                               " has no Unix socket ('ingle serve --socket PATH'); ask its /api/ps "
                                               "with a key"};
    base += ":" + std::to_string(server.port);
  }
  store::HttpClient client(options);
  auto answer = client.get_text({.url = base + "/api/ps"}, kMaxAnswer, [] { return interrupted(); });
  if (!answer)
    return Error{answer.error().code,
                 server.address() + " (pid " + std::to_string(server.pid) + "): " + answer.error().message};
  INGLE_TRY(Json json, base::parse_json(answer->body, {.max_bytes = kMaxAnswer, .max_depth = 16}));
  if (!json.is_object() || !json.value("models", Json()).is_array())
    return Error{ErrorCode::corrupt, server.address() + " does not answer as a server of Ingle does"};
  return std::move(json["models"]);
}

/// The member as a text, or "-".
std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

uint64_t number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

using Row = std::vector<std::string>;

Row row_of(const Json& model) {
  const Json more = model.value("ingle", Json::object());
  const std::string requests =
      more.contains("running") ? text_of(more, "running") + " running, " + text_of(more, "waiting") + " waiting" : "-";
  const std::string until = model.contains("expires_at") ? text_of(model, "expires_at") : "the server ends";
  return {text_of(model, "name"),
          text_of(more, "device"),
          text_of(more, "isa"),
          show_bytes(number_of(more, "used_bytes")),
          show_bytes(number_of(more, "planned_bytes")),
          text_of(model, "context_length"),
          requests,
          until};
}

std::string table(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  std::string out;
  for (const Row& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i) out += pad(row[i], widths[i]) + "  ";
    out += row.back() + "\n";
  }
  return out;
}

Status run(Session& session) {
  std::vector<RunningServer> servers;
  if (session.values.integer("port") != 0) {
    INGLE_TRY(RunningServer chosen, choose_server(session));
    servers.push_back(std::move(chosen));
  } else {
    INGLE_TRY(servers, running_servers(servers_folder(session)));
  }
  if (servers.empty()) return choose_server(session).error();
  Json all = Json::array();
  std::string out;
  for (const RunningServer& server : servers) {
    INGLE_TRY(const Json models, ask(server));
    all.push_back({{"address", server.address()},
                   {"pid", server.pid},
                   {"version", server.version},
                   {"socket", server.socket},
                   {"models", models}});
    out += (out.empty() ? "" : "\n") + server.address() + ", pid " + std::to_string(server.pid) + ", version " +
           server.version + "\n";
    std::vector<Row> rows = {{"MODEL", "DEVICE", "ISA", "USED", "PLANNED", "CONTEXT", "REQUESTS", "UNTIL"}};
    for (const Json& model : models) rows.push_back(row_of(model));
    out += models.empty() ? std::string("no model is loaded\n") : table(rows);
  }
  return session.json() ? session.out_json({{"servers", all}}) : session.terminal.out_foreign(out);
}

constexpr Option options[] = {
    {.name = "port",
     .type = ValueType::integer,
     .metavar = "N",
     .help = "the port of the server that is meant",
     .fallback_note = "all servers",
     .minimum = 0,
     .maximum = 65535},
    json_option,
};
constexpr Example examples[] = {
    {"ingle ps", "Which models are in memory, on what they run, and how many requests they answer."},
};

}  // namespace

extern const Command ps_record;
const Command ps_record{
    .name = "ps",
    .summary = "show the models that running servers hold",
    .description =
        "For each server of yours that runs ('ingle serve'): its models, the device and instruction set that compute "
        "them, the memory that is in use and that they may come to use, and requests that run and wait.",
    .options = options,
    .examples = examples,
    .order = 27,
    .run = run,
};

}  // namespace ingle::cli
