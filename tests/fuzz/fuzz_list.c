/* A List that arrives in pieces, the items decoded by the cursor: as the list+watch cache reads it. */
#include <stint/text.h>

#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
	"{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"x\"},\"items\":[{\"metadata\":{\"name\":\"a\"}},{"
	"\"b\":[1,\"]\\\"\"]}]}",
	"{\"items\":[],\"kind\":\"X\"}",
	NULL,
};

static bool walk(struct stint_cursor *c, int depth)
{
	struct stint_slice text;
	bool truth;
	switch (depth > 20 ? STINT_JSON_NULL : stint_cursor_peek(c)) {
	case STINT_JSON_OBJECT:
		for (bool more = stint_cursor_object(c); more && stint_cursor_key(c, &text);)
			more = walk(c, depth + 1);
		return !c->error;
	case STINT_JSON_ARRAY:
		for (bool more = stint_cursor_array(c); more && stint_cursor_item(c);)
			more = walk(c, depth + 1);
		return !c->error;
	case STINT_JSON_STRING: return stint_cursor_string(c, &text, NULL);
	case STINT_JSON_NUMBER: return stint_cursor_number(c, &text);
	case STINT_JSON_BOOL: return stint_cursor_bool(c, &truth);
	default: return stint_cursor_skip(c);
	}
}

static bool on_item(void *user, const char *item, size_t length)
{
	(void)user;
	struct stint_cursor c = stint_cursor_over(item, length);
	walk(&c, 0);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size > 0 ? data[0] % 17 + 1 : 1;
	struct stint_splitter *splitter = stint_splitter_new(4096, on_item, NULL);
	bool good = true;
	for (size_t at = 0; good && at < size; at += piece)
		good = stint_splitter_feed(splitter, (const char *)data + at, size - at < piece ? size - at : piece, NULL);
	if (good)
		stint_json_free(stint_splitter_finish(splitter, NULL));
	stint_splitter_free(splitter);
	return 0;
}
