// libcurl, loaded when first used: it brings along thirty libraries, which every process would pay for with 4 MB of
// memory and some milliseconds (docs/performance.md), and most never use the network. The functions of curl.h that
// the store calls are defined here, and pass their arguments on to the library's.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>

#include <cstdarg>

#undef curl_easy_setopt
#undef curl_easy_getinfo
// The header has an enum before the dots; clang says that va_start() may not be given one, libcurl itself does.
#pragma GCC diagnostic ignored "-Wvarargs"

namespace {

// Null where there is no libcurl; then nobody gets a handle, and functions that want one are not called.
void* loaded(const char* name) {
  static void* const library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  return library != nullptr ? ::dlsym(library, name) : nullptr;
}

// CURLU*, or const CURLU* in newer headers.
template <typename Handle, typename... Others>
Handle handle_of(CURLUcode (*)(Handle, Others...));

}  // namespace

#define INGLE_LIBCURL(name) static const auto function = reinterpret_cast<decltype(&(name))>(loaded(#name))

extern "C" {

CURLcode curl_global_init(long flags) {
  INGLE_LIBCURL(curl_global_init);
  return function != nullptr ? function(flags) : CURLE_FAILED_INIT;
}

CURL* curl_easy_init() {
  INGLE_LIBCURL(curl_easy_init);
  return function != nullptr ? function() : nullptr;
}

CURLU* curl_url() {
  INGLE_LIBCURL(curl_url);
  return function != nullptr ? function() : nullptr;
}

void curl_easy_cleanup(CURL* handle) {
  INGLE_LIBCURL(curl_easy_cleanup);
  if (function != nullptr) function(handle);
}

// An option's number says which type its value has.
CURLcode curl_easy_setopt(CURL* handle, CURLoption option, ...) {
  INGLE_LIBCURL(curl_easy_setopt);
  va_list values;
  va_start(values, option);
  CURLcode code = CURLE_UNKNOWN_OPTION;
  switch (option / 10000 * 10000) {
    case CURLOPTTYPE_LONG:  // NOLINT(bugprone-branch-clone): they differ in the type
      code = function(handle, option, va_arg(values, long));
      break;
    case CURLOPTTYPE_OBJECTPOINT:
      code = function(handle, option, va_arg(values, void*));
      break;
    case CURLOPTTYPE_FUNCTIONPOINT:
      code = function(handle, option, va_arg(values, void (*)()));
      break;
    case CURLOPTTYPE_OFF_T:
      code = function(handle, option, va_arg(values, curl_off_t));
      break;
    default:
      break;
  }
  va_end(values);
  return code;
}

// What is asked for is always written through a pointer.
CURLcode curl_easy_getinfo(CURL* handle, CURLINFO info, ...) {
  INGLE_LIBCURL(curl_easy_getinfo);
  va_list values;
  va_start(values, info);
  const CURLcode code = function(handle, info, va_arg(values, void*));
  va_end(values);
  return code;
}

CURLcode curl_easy_perform(CURL* handle) {
  INGLE_LIBCURL(curl_easy_perform);
  return function(handle);
}

void curl_easy_reset(CURL* handle) {
  INGLE_LIBCURL(curl_easy_reset);
  function(handle);
}

const char* curl_easy_strerror(CURLcode code) {
  INGLE_LIBCURL(curl_easy_strerror);
  return function(code);
}

curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  INGLE_LIBCURL(curl_slist_append);
  return function(list, text);
}

void curl_slist_free_all(curl_slist* list) {
  INGLE_LIBCURL(curl_slist_free_all);
  function(list);
}

void curl_free(void* memory) {
  INGLE_LIBCURL(curl_free);
  function(memory);
}

void curl_url_cleanup(CURLU* handle) {
  INGLE_LIBCURL(curl_url_cleanup);
  function(handle);
}

CURLUcode curl_url_get(decltype(handle_of(curl_url_get)) handle, CURLUPart part, char** text, unsigned flags) {
  INGLE_LIBCURL(curl_url_get);
  return function(handle, part, text, flags);
}

CURLUcode curl_url_set(CURLU* handle, CURLUPart part, const char* text, unsigned flags) {
  INGLE_LIBCURL(curl_url_set);
  return function(handle, part, text, flags);
}

}  // extern "C"
