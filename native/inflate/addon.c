/**
 * What Node sees of this folder (Node-API, so one build fits every Node): functions over byte arrays that the caller owns,
 * nothing is kept here and nothing has to be freed. `src/source/native-inflate.ts` is the only caller and says what they give.
 */
#include "inflate.h"
#include "sha256.h"
#include <node_api.h>
#include <string.h>

/** The first words are for the caller to read. */
struct decoder {
  uint32_t consumed, produced, ended, unused;
  struct inflate inflate;
};

struct bytes {
  uint8_t *at;
  size_t length;
};

enum { MOST_ARGUMENTS = 8 };

struct call {
  napi_env env;
  napi_value arguments[MOST_ARGUMENTS];
  bool good;
};

static struct call call_of(napi_env env, napi_callback_info info, size_t wanted) {
  struct call call = {.env = env, .good = true};
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, call.arguments, NULL, NULL) != napi_ok || count < wanted) call.good = false;
  return call;
}

/** A Uint8Array of at least so many bytes. */
static struct bytes bytes_at(struct call *call, size_t index, size_t least) {
  struct bytes bytes = {0};
  napi_typedarray_type type;
  void *data = NULL;
  if (!call->good) return bytes;
  napi_status status = napi_get_typedarray_info(call->env, call->arguments[index], &type, &bytes.length, &data, NULL, NULL);
  bytes.at = data;
  if (status != napi_ok || type != napi_uint8_array || (data == NULL && bytes.length > 0) || bytes.length < least) call->good = false;
  return bytes;
}

/** A struct in an array of its own size, where it may stand. */
static void *state_at(struct call *call, size_t index, size_t size) {
  void *state = bytes_at(call, index, size).at;
  if ((uintptr_t)state % 8 != 0) call->good = false;
  return state;
}

/** The part of an array between two arguments behind it. */
static struct bytes part_at(struct call *call, size_t index) {
  struct bytes whole = bytes_at(call, index, 0);
  uint32_t start = 0, end = 0;
  if (!call->good) return whole;
  if (napi_get_value_uint32(call->env, call->arguments[index + 1], &start) != napi_ok ||
      napi_get_value_uint32(call->env, call->arguments[index + 2], &end) != napi_ok || start > end || end > whole.length)
    call->good = false;
  return call->good && start < end ? (struct bytes){whole.at + start, end - start} : (struct bytes){0};
}

static napi_value refused(napi_env env) {
  napi_throw_type_error(env, NULL, "arguments that do not fit");
  return NULL;
}

static napi_value inflate(napi_env env, napi_callback_info info) {
  struct call call = call_of(env, info, 5);
  struct decoder *decoder = state_at(&call, 0, sizeof *decoder);
  struct bytes input = part_at(&call, 1), output = bytes_at(&call, 4, INFLATE_WINDOW + 1);
  if (!call.good) return refused(env);
  struct inflate_input in = {input.at, input.at + input.length};
  size_t produced = inflate_some(&decoder->inflate, &in, output.at, output.length - INFLATE_WINDOW);
  decoder->consumed = (uint32_t)(in.next - input.at);
  decoder->produced = (uint32_t)produced;
  decoder->ended = decoder->inflate.phase == INFLATE_END;
  napi_value why = NULL;
  if (decoder->inflate.phase == INFLATE_BROKEN) napi_create_string_utf8(env, decoder->inflate.error, NAPI_AUTO_LENGTH, &why);
  return why;
}

static napi_value sha256(napi_env env, napi_callback_info info) {
  struct call call = call_of(env, info, 4);
  struct sha256 *state = state_at(&call, 0, sizeof *state);
  struct bytes bytes = part_at(&call, 1);
  if (!call.good) return refused(env);
  sha256_add(state, bytes.at, bytes.length);
  return NULL;
}

static napi_value sha256_two(napi_env env, napi_callback_info info) {
  struct call call = call_of(env, info, 8);
  struct sha256 *a = state_at(&call, 0, sizeof *a), *b = state_at(&call, 4, sizeof *b);
  struct bytes a_bytes = part_at(&call, 1), b_bytes = part_at(&call, 5);
  if (!call.good || a == b) return refused(env);
  sha256_add_two(a, a_bytes.at, a_bytes.length, b, b_bytes.at, b_bytes.length);
  return NULL;
}

static napi_value sha256_last(napi_env env, napi_callback_info info) {
  struct call call = call_of(env, info, 2);
  struct sha256 *state = state_at(&call, 0, sizeof *state);
  struct bytes digest = bytes_at(&call, 1, 32);
  if (!call.good) return refused(env);
  sha256_end(state, digest.at);
  return NULL;
}

static void give_number(napi_env env, napi_value exports, const char *name, uint32_t number) {
  napi_value value;
  if (napi_create_uint32(env, number, &value) == napi_ok) napi_set_named_property(env, exports, name, value);
}

static void give_function(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value) == napi_ok)
    napi_set_named_property(env, exports, name, value);
}

NAPI_MODULE_INIT() {
  give_number(env, exports, "decoderBytes", sizeof(struct decoder));
  give_number(env, exports, "windowBytes", INFLATE_WINDOW);
  give_function(env, exports, "inflate", inflate);
  napi_value sha;
  if (!sha256_can() || napi_create_object(env, &sha) != napi_ok) return exports;
  give_number(env, sha, "bytes", sizeof(struct sha256));
  give_function(env, sha, "add", sha256);
  give_function(env, sha, "addTwo", sha256_two);
  give_function(env, sha, "end", sha256_last);
  napi_set_named_property(env, exports, "sha256", sha);
  return exports;
}
