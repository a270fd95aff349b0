/* YAML: the reader, and that what the printer writes reads back as the same tree. */
#include <stdlib.h>
#include <string.h>

#include <stint/text.h>

#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
	"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\nspec:\n  template: {spec: {containers: [{name: m, args: ['-c', "
	"\"x\\ny\"]}]}}\n",
	"a: &x [1, 0x10, yes, ~, .5, 'q']\nb: *x\n---\nc: |\n  line\n  line\n",
	"? a\n: b\n",
	NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stint_auto_json *documents = stint_yaml_parse("input", (const char *)data, size, NULL);
	stint_json_each(document, documents) {
		stint_autofree char *printed = stint_yaml_print(document);
		stint_auto_json *back = stint_yaml_parse("printed", printed, strlen(printed), NULL);
		/* A document of null alone is left out by the reader. */
		if (!back || (stint_json_type(document) != STINT_JSON_NULL && !stint_json_equal(document, stint_json_first(back))))
			abort();
	}
	return 0;
}
