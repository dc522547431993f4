// GET /metrics: counters for Prometheus, in its text format (version 0.0.4).
#include <sstream>

#include "server/api/route.h"

namespace ingle::server {
namespace {

struct Metric {
  std::string_view name, type, help;
  double (*value)(const core::SchedulerStats& stats);
};
constexpr Metric kMetrics[] = {
    {"ingle_requests_total", "counter", "Requests taken.", [](const auto& s) { return double(s.submitted); }},
    {"ingle_requests_finished_total", "counter", "Requests answered.",
     [](const auto& s) { return double(s.finished); }},
    {"ingle_requests_cancelled_total", "counter", "Requests whose client went.",
     [](const auto& s) { return double(s.cancelled); }},
    {"ingle_requests_failed_total", "counter", "Requests that failed.", [](const auto& s) { return double(s.failed); }},
    {"ingle_requests_refused_total", "counter", "Requests refused because too many waited.",
     [](const auto& s) { return double(s.refused); }},
    {"ingle_requests_running", "gauge", "Requests being answered.", [](const auto& s) { return double(s.running); }},
    {"ingle_requests_waiting", "gauge", "Requests that wait.", [](const auto& s) { return double(s.waiting); }},
    {"ingle_preemptions_total", "counter", "Answers that lost their memory to others for a while.",
     [](const auto& s) { return double(s.preempted); }},
    {"ingle_prompt_tokens_total", "counter", "Tokens of prompts.",
     [](const auto& s) { return double(s.prompt_tokens); }},
    {"ingle_cached_tokens_total", "counter", "Tokens of prompts that had not to be computed.",
     [](const auto& s) { return double(s.cached_tokens); }},
    {"ingle_generated_tokens_total", "counter", "Tokens of answers.",
     [](const auto& s) { return double(s.generated_tokens); }},
    {"ingle_passes_total", "counter", "Passes over the weights.", [](const auto& s) { return double(s.passes); }},
    {"ingle_kept_prefixes", "gauge", "Beginnings of texts that are kept.",
     [](const auto& s) { return double(s.kept_prefixes); }},
    {"ingle_state_bytes", "gauge", "Memory of all sequences.", [](const auto& s) { return double(s.state_bytes); }},
    {"ingle_state_limit_bytes", "gauge", "The most that they may take.",
     [](const auto& s) { return double(s.state_limit_bytes); }},
};

constexpr char kType[] = "text/plain; version=0.0.4; charset=utf-8";

std::string label(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

void handle(Call& call) {
  std::ostringstream out;
  out.precision(15);
  for (const Metric& metric : kMetrics) {
    out << "# HELP " << metric.name << ' ' << metric.help << "\n# TYPE " << metric.name << ' ' << metric.type << '\n';
    for (const assistant::ModelService* model : call.models->all())
      out << metric.name << "{model=\"" << label(model->name()) << "\"} " << metric.value(model->stats()) << '\n';
  }
  HttpResponse response = call.response(kType);
  response.body = out.str();
  call.exchange->respond(std::move(response));
}

}  // namespace

extern const Route metrics_record;
const Route metrics_record{.method = "GET",
                           .path = "/metrics",
                           .scope = Scope::keyed,
                           .summary = "counters for Prometheus",
                           .answers = kType,
                           .handle = handle};

}  // namespace ingle::server
