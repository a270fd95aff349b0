/* Device selectors: whatever compiles must evaluate, within its bounds, and say the same twice. */
#include <stdlib.h>

#include <stint/model.h>

#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {"device.driver == \"gpu.example.com\" && device.attributes[\"d\"].a in [1, -2, 'x', true]",
	"cel.bind(a, device.attributes['d'], has(a.v) ? a.v.isGreaterThan(semver('1.2.3-rc.1')) : !a['b'])",
	"device.capacity['d'].memory.compareTo(quantity('10Gi')) >= 0 || 'd' in device.attributes",
	"\"\\x41\\n\".lowerAscii().contains('a')", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stint_device_attribute attributes[] = {{"d", "a", STINT_ATTRIBUTE_INT, -2, ""},
		{"d", "b", STINT_ATTRIBUTE_BOOL, 1, ""}, {"d", "v", STINT_ATTRIBUTE_VERSION, 0, "1.2.3"},
		{"d", "t", STINT_ATTRIBUTE_TEXT, 0, "x"}};
	static const struct stint_device_capacity capacities[] = {{"d", "memory", 1000}};
	static const struct stint_device device = {.name = "x",
		.attributes = attributes,
		.attributes_count = STINT_COUNT(attributes),
		.capacities = capacities,
		.capacities_count = STINT_COUNT(capacities)};
	stint_autofree char *text = stint_strndup((const char *)data, size);
	struct stint_cel *cel = stint_cel_compile(text, NULL);
	if (cel && stint_cel_matches(cel, "gpu.example.com", &device) != stint_cel_matches(cel, "gpu.example.com", &device))
		abort();
	stint_cel_free(cel);
	return 0;
}
