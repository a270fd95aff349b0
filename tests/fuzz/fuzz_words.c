/* Short texts that people and annotations bring: selectors, quantities, durations, times, jsonpath templates. */
#include <stdlib.h>
#include <string.h>

#include <stint/model.h>
#include <stint/text.h>

#include "cli/output/jsonpath.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {"a=b,c!=d,e in (x,y),!f,g notin (z)", "10Gi", "1.5e3m", "1h30m", "2026-11-24T06:12:55.5+02:00",
	"{.items[?(@.metadata.name==\"x\")].spec['a.b'][0:2]}", "{range .items[*]}{.a}{\"\\n\"}{end}", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stint_autofree char *text = stint_strndup((const char *)data, size);
	stint_label_selector_free(stint_label_selector_parse(text, NULL));
	int64_t value;
	stint_quantity_parse(stint_slice_of(text), STINT_UNIT_MILLI, &value);
	stint_quantity_parse(stint_slice_of(text), STINT_UNIT_ONE, &value);
	stint_duration_parse(text, &value);
	stint_time_parse(text, strlen(text), &value);
	struct cli_jsonpath *path = cli_jsonpath_compile(text, NULL);
	if (path) {
		static const char document[] = "{\"items\":[{\"metadata\":{\"name\":\"x\"},\"spec\":{\"a.b\":[1,2,3]}}],\"a\":1}";
		stint_auto_json *json = stint_json_parse(document, strlen(document), 0, NULL);
		stint_auto_buf out = {0};
		cli_jsonpath_print(path, json, &out);
		cli_jsonpath_free(path);
	}
	return 0;
}
