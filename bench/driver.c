/* Drives llama.cpp (or ik_llama.cpp, with -DIK_LLAMA) through its C API, as its own bench tool does. bench/peers.py
 * builds it against each peer's library. It is C and not Python so that neither an interpreter's memory nor its start
 * counts against the peer.
 *
 *   driver bench    MODEL THREADS REPEAT PROMPT GEN    one JSON object: seconds of each repeat (decode_s from an empty
 *                                                      context, as llama-bench does; deep_decode_s after the prompt),
 *                                                      load_ms, peak_rss_bytes
 *   driver first    MODEL THREADS TEXT                 prints the text's first greedy token as soon as it is known
 *   driver tokenize MODEL < TEXT                       prints ids as JSON: {"bos": id or -1, "tokens": [...]}
 *   driver logits   MODEL THREADS WINDOW < IDS         int32 ids in, float32 logits of every row out, per window
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "llama.h"

#ifdef IK_LLAMA
#define CLEAR(context) llama_kv_cache_clear(context)
#define VOCAB_TYPE const struct llama_model
#define VOCAB_OF(model) (model)
#define VOCAB_SIZE llama_n_vocab
#define ADDS_BOS(vocab) (llama_add_bos_token(vocab) == 1)
#define BOS(vocab) llama_token_bos(vocab)
#define BATCH(tokens, count) llama_batch_get_one(tokens, count, position, 0)
#define PIECE(vocab, token, text, size) llama_token_to_piece(vocab, token, text, size, 0, 1)
#else
#define CLEAR(context) llama_memory_clear(llama_get_memory(context), false)
#define VOCAB_TYPE const struct llama_vocab
#define VOCAB_OF(model) llama_model_get_vocab(model)
#define VOCAB_SIZE llama_vocab_n_tokens
#define ADDS_BOS(vocab) llama_vocab_get_add_bos(vocab)
#define BOS(vocab) llama_vocab_bos(vocab)
#define BATCH(tokens, count) llama_batch_get_one(tokens, count)
#define PIECE(vocab, token, text, size) llama_token_to_piece(vocab, token, text, size, 0, true)
#endif

enum { MAX_BATCH = 2048, MAX_UBATCH = 512 }; /* llama-bench's own defaults */

static void fail(const char* what) {
  fprintf(stderr, "driver: %s\n", what);
  exit(1);
}

static void quiet(enum ggml_log_level level, const char* text, void* data) {
  (void)data;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t peak_rss_bytes(void) {
  FILE* file = fopen("/proc/self/status", "r");
  char line[256];
  unsigned long kib = 0;
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "VmHWM: %lu", &kib) == 1) break;
  }
  if (file) fclose(file);
  return (uint64_t)kib * 1024;
}

static struct llama_model* load(const char* path) {
  llama_log_set(quiet, NULL);
  llama_backend_init();
  struct llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = 0;
#ifdef IK_LLAMA
  params.repack_tensors = true; /* its fastest kernels; needs the weights in memory of its own */
  params.use_mmap = false;
#endif
  struct llama_model* model = llama_model_load_from_file(path, params);
  if (!model) fail("cannot load the model");
  return model;
}

static struct llama_context* new_context(struct llama_model* model, int threads, int length) {
  struct llama_context_params params = llama_context_default_params();
  params.n_ctx = (uint32_t)length;
  params.n_batch = MAX_BATCH;
  params.n_ubatch = MAX_UBATCH;
  params.n_threads = params.n_threads_batch = threads;
#ifdef IK_LLAMA
  params.flash_attn = true;
#endif
  struct llama_context* context = llama_init_from_model(model, params);
  if (!context) fail("cannot make a context");
  return context;
}

static void decode(struct llama_context* context, llama_token* tokens, int count, int position) {
  (void)position;
  if (llama_decode(context, BATCH(tokens, count)) != 0) fail("llama_decode failed");
}

static llama_token random_token(int vocabulary) {
  static uint64_t state = 42;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (llama_token)((state >> 33) % (uint64_t)vocabulary);
}

/* Seconds to take in `count` tokens in an empty context: the logits of the last row only. */
static double prefill(struct llama_context* context, int vocabulary, int count) {
  llama_token tokens[MAX_BATCH];
  CLEAR(context);
  double start = now();
  for (int done = 0; done < count; done += MAX_BATCH) {
    int part = count - done < MAX_BATCH ? count - done : MAX_BATCH;
    for (int i = 0; i < part; i++) tokens[i] = random_token(vocabulary);
    decode(context, tokens, part, done);
  }
  llama_synchronize(context);
  return now() - start;
}

/* Seconds for `count` single tokens, after `depth` tokens that the context holds or, with 0, in an empty one. */
static double generate(struct llama_context* context, int vocabulary, int depth, int count) {
  if (depth == 0) CLEAR(context);
  double start = now();
  for (int i = 0; i < count; i++) {
    llama_token token = random_token(vocabulary);
    decode(context, &token, 1, depth + i);
    llama_synchronize(context);
  }
  return now() - start;
}

static void print_list(const char* name, const double* values, int count) {
  printf("\"%s\": [", name);
  for (int i = 0; i < count; i++) printf("%s%.6f", i ? ", " : "", values[i]);
  printf("], ");
}

static int bench(const char* path, int threads, int repeat, int prompt, int gen) {
  enum { MAX_REPEAT = 100 };
  double prefill_s[MAX_REPEAT], decode_s[MAX_REPEAT], deep_decode_s[MAX_REPEAT];
  if (repeat < 1 || repeat > MAX_REPEAT) fail("REPEAT is 1 to 100");
  double start = now();
  struct llama_model* model = load(path);
  struct llama_context* context = new_context(model, threads, prompt + gen);
  double load_ms = 1e3 * (now() - start);
  int vocabulary = VOCAB_SIZE(VOCAB_OF(model));
  prefill(context, vocabulary, prompt); /* warm up */
  generate(context, vocabulary, prompt, gen > 0 ? 1 : 0);
  for (int i = 0; i < repeat; i++) {
    prefill_s[i] = prefill(context, vocabulary, prompt);
    deep_decode_s[i] = generate(context, vocabulary, prompt, gen);
    decode_s[i] = generate(context, vocabulary, 0, gen);
  }
  printf("{");
  print_list("prefill_s", prefill_s, repeat);
  print_list("decode_s", decode_s, repeat);
  print_list("deep_decode_s", deep_decode_s, repeat);
  printf("\"load_ms\": %.3f, \"peak_rss_bytes\": %llu, \"system\": \"%s\"}\n", load_ms,
         (unsigned long long)peak_rss_bytes(), llama_print_system_info());
  return 0;
}

static int tokenize_text(VOCAB_TYPE* vocab, const char* text, int length, llama_token** tokens, bool add_special) {
  *tokens = malloc(((size_t)length + 16) * sizeof(llama_token));
  int count = *tokens ? llama_tokenize(vocab, text, length, *tokens, length + 16, add_special, false) : -1;
  if (count < 0) fail("cannot tokenize the text");
  return count;
}

static llama_token best(const float* logits, int count) {
  int at = 0;
  for (int i = 1; i < count; i++) {
    if (logits[i] > logits[at]) at = i;
  }
  return at;
}

static int first(const char* path, int threads, const char* text) {
  struct llama_model* model = load(path);
  VOCAB_TYPE* vocab = VOCAB_OF(model);
  struct llama_context* context = new_context(model, threads, 512);
  llama_token* tokens = NULL;
  int count = tokenize_text(vocab, text, (int)strlen(text), &tokens, true);
  decode(context, tokens, count, 0);
  char piece[256];
  llama_token token = best(llama_get_logits_ith(context, -1), VOCAB_SIZE(vocab));
  int size = PIECE(vocab, token, piece, (int)sizeof piece);
  fwrite(size > 0 ? piece : "?", 1, size > 0 ? (size_t)size : 1, stdout);
  fflush(stdout);
  return 0;
}

static char* read_all(size_t* size) {
  size_t capacity = 1 << 20;
  char* data = malloc(capacity);
  *size = 0;
  while (data) {
    *size += fread(data + *size, 1, capacity - *size, stdin);
    if (*size < capacity) return data;
    data = realloc(data, capacity *= 2);
  }
  fail("out of memory");
  return NULL;
}

static int tokenize(const char* path) {
  llama_log_set(quiet, NULL);
  struct llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  struct llama_model* model = llama_model_load_from_file(path, params);
  if (!model) fail("cannot load the model");
  VOCAB_TYPE* vocab = VOCAB_OF(model);
  size_t size = 0;
  char* text = read_all(&size);
  llama_token* tokens = NULL;
  int count = tokenize_text(vocab, text, (int)size, &tokens, false);
  printf("{\"bos\": %d, \"tokens\": [", ADDS_BOS(vocab) ? BOS(vocab) : -1);
  for (int i = 0; i < count; i++) printf("%s%d", i ? ", " : "", tokens[i]);
  printf("]}\n");
  return 0;
}

static int logits(const char* path, int threads, int window) {
  if (window < 1 || window > MAX_BATCH) fail("WINDOW is 1 to 2048");
  struct llama_model* model = load(path);
  struct llama_context* context = new_context(model, threads, window);
  size_t vocabulary = (size_t)VOCAB_SIZE(VOCAB_OF(model));
  size_t size = 0;
  llama_token* tokens = (llama_token*)(void*)read_all(&size);
  int count = (int)(size / sizeof(llama_token));
  struct llama_batch batch = llama_batch_init(window, 0, 1);
  for (int start = 0; start + window <= count; start += window) {
    CLEAR(context);
    batch.n_tokens = window;
    for (int i = 0; i < window; i++) {
      batch.token[i] = tokens[start + i];
      batch.pos[i] = i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    if (llama_decode(context, batch) != 0) fail("llama_decode failed");
    for (int i = 0; i < window; i++) {
      if (fwrite(llama_get_logits_ith(context, i), sizeof(float), vocabulary, stdout) != vocabulary) return 1;
    }
    fflush(stdout);
  }
  llama_batch_free(batch);
  return 0;
}

int main(int count, char** arguments) {
  const char* command = count > 2 ? arguments[1] : "";
  if (!strcmp(command, "bench") && count == 7)
    return bench(arguments[2], atoi(arguments[3]), atoi(arguments[4]), atoi(arguments[5]), atoi(arguments[6]));
  if (!strcmp(command, "first") && count == 5) return first(arguments[2], atoi(arguments[3]), arguments[4]);
  if (!strcmp(command, "tokenize") && count == 3) return tokenize(arguments[2]);
  if (!strcmp(command, "logits") && count == 5) return logits(arguments[2], atoi(arguments[3]), atoi(arguments[4]));
  fail("usage: driver bench|first|tokenize|logits MODEL ...");
  return 2;
}
