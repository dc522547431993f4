// Each pattern takes a subset of its format on which validators agree: RFC 3339 (dates and times, with real days of
// months and leap years), RFC 3339 appendix A (durations), RFC 5321 (e-mail, without quotes and comments), RFC 1123
// (host names, up to four labels, no "--"), RFC 2673 and RFC 4291 (addresses), RFC 3986 (URIs, of ASCII), RFC 4122
// (UUIDs), RFC 6570 (URI templates, of plain variables), RFC 6901 (JSON pointers), ECMA-262 (regular expressions,
// without groups inside groups). All formats of JSON Schema are here, from draft 3 on: one that is not may say
// anything.
#include "core/grammar/formats.h"

namespace ingle::grammar {

namespace {

#define YEAR "(?:\\d{3}[1-9]|\\d{2}[1-9]\\d|\\d[1-9]\\d{2}|[1-9]\\d{3})"
#define LEAP_YEAR "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
#define DATE                                                                                   \
  "(?:" YEAR                                                                                   \
  "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:" \
  "0[1-9]|1\\d|2[0-8]))|" LEAP_YEAR "-02-29)"
#define HOUR_MINUTE "(?:[01]\\d|2[0-3]):[0-5]\\d"
#define TIME HOUR_MINUTE ":[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-]" HOUR_MINUTE ")"
#define DUR_TIME "T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S)"
#define DUR_DATE "(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)"
#define LABEL "[A-Za-z0-9](?:-?[A-Za-z0-9]){0,30}"
#define HOST "[A-Za-z](?:-?[A-Za-z0-9]){0,30}(?:\\." LABEL "){0,3}"
#define ATOM "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}"
#define BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define IPV4 BYTE "\\." BYTE "\\." BYTE "\\." BYTE
#define GROUP "[0-9A-Fa-f]{1,4}"
#define PCHAR "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
#define PATH "(?:/" PCHAR "*)*"
#define TAIL "(?:\\?(?:" PCHAR "|[/?])*)?(?:#(?:" PCHAR "|[/?])*)?"
#define REGEX_ATOM \
  "(?:[A-Za-z0-9 _/,:;@#%&=~'\"!<>-]|\\.|\\\\[dDwWsS.^$*+?()\\[\\]{}|/]|\\[\\^?[A-Za-z0-9_ .,:]+\\])[*+?]?"
#define URI_START "https?://" HOST "/"
#define URI "[A-Za-z][A-Za-z0-9+.-]{0,15}:(?://" HOST "(?::[1-9]\\d{0,3})?" PATH "|" PCHAR "+" PATH ")" TAIL

constexpr std::string_view kIpv6 =
    "(?:" GROUP ":){7}" GROUP "|(?:" GROUP ":){1,7}:|(?:" GROUP ":){1,6}(?::" GROUP "){1}|(?:" GROUP ":){1,5}(?::" GROUP
    "){1,2}|(?:" GROUP ":){1,4}(?::" GROUP "){1,3}|(?:" GROUP ":){1,3}(?::" GROUP "){1,4}|(?:" GROUP ":){1,2}(?::" GROUP
    "){1,5}|" GROUP ":(?::" GROUP "){1,6}|:(?::" GROUP "){1,7}|::";

constexpr Format kFormats[] = {
    {"date-time", DATE "T" TIME},
    {"date", DATE},
    {"time", TIME},
    {"duration", "P(?:\\d{1,9}W|" DUR_DATE "(?:" DUR_TIME ")?|" DUR_TIME ")"},
    {"email", ATOM "(?:\\." ATOM "){0,2}@" HOST},
    {"idn-email", ATOM "(?:\\." ATOM "){0,2}@" HOST},
    {"hostname", HOST},
    {"idn-hostname", HOST},
    {"ipv4", IPV4},
    {"ipv6", kIpv6},
    {"uri", URI},
    {"iri", URI},
    {"uri-reference", URI "|(?:/" PCHAR "+)+" TAIL "|[A-Za-z0-9._~-]+" PATH TAIL},
    {"iri-reference", URI "|(?:/" PCHAR "+)+" TAIL "|[A-Za-z0-9._~-]+" PATH TAIL},
    {"uuid", "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"},
    {"uri-template", "(?:/|" URI_START ")(?:" PCHAR "|/|\\{[A-Za-z][A-Za-z0-9_]*\\})*"},
    {"regex", "\\^?(?:" REGEX_ATOM "|\\((?:" REGEX_ATOM ")+\\)[*+?]?)*\\$?"},
    {"color", "#[0-9A-Fa-f]{6}"},
    {"host-name", HOST},
    {"ip-address", IPV4},
    {"relative-json-pointer", "(?:0|[1-9]\\d{0,8})(?:#|(?:/(?:[A-Za-z0-9._ -]|~[01])*)*)"},
    {"json-pointer", "(?:/(?:[A-Za-z0-9._ -]|~[01])*)*"},
};

}  // namespace

std::span<const Format> all_formats() {
  return kFormats;
}

}  // namespace ingle::grammar
