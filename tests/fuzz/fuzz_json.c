/* JSON: the tree, and that what it prints reads back as the same tree. */
#include <stdlib.h>
#include <string.h>

#include <stint/text.h>

#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"y\"}},\"spec\":{\"n\":[1,-2.5e3,true,"
	"null]}}",
	"[9007199254740993,\"\\u00e9\\ud83d\\ude00\",{},[],{\"\":\"\"}]",
	"\"plain\"",
	NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stint_auto_json *json = stint_json_parse((const char *)data, size, 0, NULL);
	if (!json)
		return 0;
	stint_autofree char *printed = stint_json_print(json);
	stint_auto_json *back = stint_json_parse(printed, strlen(printed), STINT_JSON_REJECT_DUPLICATES, NULL);
	if (!back || !stint_json_equal(json, back))
		abort();
	return 0;
}
