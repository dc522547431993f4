// GET /metrics: counters for Prometheus, in its text format (version 0.0.4).
#include <algorithm>
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
    {"ingle_proposed_tokens_total", "counter", "Tokens computed ahead because the text had gone on so before.",
     [](const auto& s) { return double(s.proposed_tokens); }},
    {"ingle_taken_tokens_total", "counter", "Of these, what became part of an answer.",
     [](const auto& s) { return double(s.taken_tokens); }},
    {"ingle_kept_prefixes", "gauge", "Beginnings of texts that are kept.",
     [](const auto& s) { return double(s.kept_prefixes); }},
    {"ingle_state_bytes", "gauge", "Memory of all sequences.", [](const auto& s) { return double(s.state_bytes); }},
    {"ingle_state_limit_bytes", "gauge", "The most that they may take.",
     [](const auto& s) { return double(s.state_limit_bytes); }},
};

struct PaceMetric {
  std::string_view name, help;
  double (*value)(const assistant::ModelService& model);
};
constexpr PaceMetric kPaceMetrics[] = {
    {"ingle_threads", "Threads that may compute now.",
     [](const auto& m) { return double(std::clamp(m.pace().threads, 1u, m.info().threads)); }},
    {"ingle_rest_ratio", "Share of the time in which nothing is computed, to spare the device.",
     [](const auto& m) { return m.pace().rest; }},
    {"ingle_paced_for_others", "Whether other programs are left a part of the processor.",
     [](const auto& m) { return double((m.pace().reasons & core::pace_others) != 0); }},
    {"ingle_paced_for_heat", "Whether the device is spared because it is hot.",
     [](const auto& m) { return double((m.pace().reasons & core::pace_heat) != 0); }},
    {"ingle_paced_for_battery", "Whether the device is spared because its battery is low.",
     [](const auto& m) { return double((m.pace().reasons & core::pace_battery) != 0); }},
    {"ingle_paced_for_quota", "Whether fewer threads run because the control group's time was used up.",
     [](const auto& m) { return double((m.pace().reasons & core::pace_quota) != 0); }},
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
  std::vector<std::pair<std::string, core::SchedulerStats>> models;
  for (const auto& [model, left] : call.pool->resident()) models.emplace_back(label(model->name()), stats_of(*model));
  std::ostringstream out;
  out.precision(15);
  for (const Metric& metric : kMetrics) {
    out << "# HELP " << metric.name << ' ' << metric.help << "\n# TYPE " << metric.name << ' ' << metric.type << '\n';
    for (const auto& [name, stats] : models)
      out << metric.name << "{model=\"" << name << "\"} " << metric.value(stats) << '\n';
  }
  for (const PaceMetric& metric : kPaceMetrics) {
    out << "# HELP " << metric.name << ' ' << metric.help << "\n# TYPE " << metric.name << " gauge\n";
    for (const auto& [model, left] : call.pool->resident())
      out << metric.name << "{model=\"" << label(model->name()) << "\"} " << metric.value(*model) << '\n';
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
