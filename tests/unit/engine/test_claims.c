/*
 * Devices through resource claims, and NUMA zones: which devices a claim gets, what binds pods to a node, what queues are charged, and that
 * what is taken back leaves no trace.
 */
#include "tests/unit/test.h"

#include <stdio.h>

#include "cluster.h"

struct bench {
	struct stint_model *model;
	struct cluster *c;
};

static struct bench open_bench(void)
{
	struct bench b = {stint_model_new(), cluster_new()};
	add_queue(b.c, "q", .quota = -1, .weight = 1);
	return b;
}

static void close_bench(struct bench *b)
{
	cluster_free(b->c);
	struct stint_model_stats stats;
	stint_model_measure(b->model, &stats);
	assert_int_equal(stats.texts, 0); /* nothing that the engine was given outlives it */
	stint_model_free(b->model);
}

static void tell(struct bench *b, enum stint_kind kind, char *json)
{
	stint_auto_error *err = NULL;
	const struct stint_decode_as as = {.kind = kind};
	struct stint_object *object = stint_object_decode(b->model, &as, json, strlen(json), &err);
	if (!object)
		fail_msg("%s: %s", err->message, json);
	if (kind == STINT_KIND_RESOURCE_SLICE)
		stint_engine_slice_upsert(b->c->engine, stint_resource_slice_of(object));
	else if (kind == STINT_KIND_DEVICE_CLASS)
		stint_engine_class_upsert(b->c->engine, stint_device_class_of(object));
	else
		stint_engine_claim_upsert(b->c->engine, stint_resource_claim_of(object));
	stint_object_unref(object);
	free(json);
}

/* Devices d0.. of driver gpu.example.com; model: small, but for the last, which is large. Odd ones are on NUMA node 1. */
static void add_devices(struct bench *b, const char *node, int count)
{
	stint_auto_buf devices = {0};
	for (int i = 0; i < count; i++)
		stint_buf_printf(&devices,
			"%s{\"name\":\"d%d\",\"attributes\":{\"model\":{\"string\":\"%s\"},\"numa\":{\"int\":%d}},"
			"\"capacity\":{\"memory\":{\"value\":\"%dGi\"}}}",
			i ? "," : "", i, i == count - 1 ? "large" : "small", i % 2, i == count - 1 ? 80 : 40);
	tell(b, STINT_KIND_RESOURCE_SLICE,
		stint_format("{\"metadata\":{\"name\":\"slice-%s\"},\"spec\":{\"driver\":\"gpu.example.com\",\"nodeName\":\"%s\",\"pool\":{"
			     "\"name\":\"%s\",\"generation\":1,\"resourceSliceCount\":1},\"devices\":[%s]}}",
			node, node, node, devices.data));
}

static void add_class(struct bench *b)
{
	tell(b, STINT_KIND_DEVICE_CLASS,
		stint_strdup("{\"metadata\":{\"name\":\"gpu.example.com\"},\"spec\":{\"selectors\":[{\"cel\":{\"expression\":"
			     "\"device.driver == 'gpu.example.com'\"}}]}}"));
}

/* wanted: the rest of a request; rest: of spec.devices, after the requests; status: of the object. */
static void add_claim(struct bench *b, const char *name, const char *wanted, const char *rest, const char *status)
{
	tell(b, STINT_KIND_RESOURCE_CLAIM,
		stint_format("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"labels\":{\"kai.scheduler/queue\":\"q\"}},\"spec\":{"
			     "\"devices\":{\"requests\":[{\"name\":\"r\",\"exactly\":{\"deviceClassName\":\"gpu.example.com\"%s}}]%s}}%s}",
			name, wanted, rest, status));
}

static void add_claiming_pod(struct bench *b, uint32_t group, const char *name, const char *claim, bool from_template, const char *node)
{
	struct cluster *c = b->c;
	struct stint_pod *pod = stint_arena_alloc(c->arena, sizeof *pod);
	const struct pod_is is = {.cpu_milli = 1000};
	struct stint_pod_claim *entry = stint_arena_alloc(c->arena, sizeof *entry);
	*entry = (struct stint_pod_claim){.name = "gpus", .claim = cluster_text(c, claim), .from_template = from_template};
	pod->meta = cluster_object(c, STINT_KIND_POD, name, 0);
	pod->meta.space = "ns";
	pod->spec = pod_spec(c, &is);
	pod->claims = entry;
	pod->claims_count = 1;
	pod->node = cluster_text(c, node);
	const struct stint_pod_facts facts = {.pod = pod, .group = group, .status = node ? STINT_POD_BOUND : STINT_POD_PENDING};
	stint_engine_pod_upsert(c->engine, &facts);
}

/* "d0 d2": what the pod was given, "" for nothing. */
static const char *devices_of(struct bench *b, const char *pod)
{
	static char text[256];
	struct stint_pod_devices given;
	size_t length = 0;
	text[0] = '\0';
	for (uint32_t i = 0; stint_engine_pod_devices(b->c->engine, pod_named(b->c, pod), i, &given); i++) {
		for (uint32_t d = 0; d < given.count && length < sizeof text; d++)
			length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", length ? " " : "", given.devices[d].device);
	}
	return text;
}

/* ---- which devices ------------------------------------------------------------------------------------------------------------------ */

struct wish {
	const char *wanted, *rest;
	const char *devices; /* "": waits */
	double gpus;
};

static const struct wish wishes[] = {
	{"", "", "d0", 1},
	{",\"count\":2", "", "d0 d1", 2},
	{",\"count\":5", "", "", 0},
	{",\"allocationMode\":\"All\"", "", "d0 d1 d2 d3", 4},
	{",\"selectors\":[{\"cel\":{\"expression\":\"device.attributes['gpu.example.com'].model == 'large'\"}}]", "", "d3", 1},
	{",\"count\":2,\"selectors\":[{\"cel\":{\"expression\":\"device.attributes['gpu.example.com'].model == 'large'\"}}]", "", "", 0},
	{",\"selectors\":[{\"cel\":{\"expression\":\"device.capacity['gpu.example.com'].memory.compareTo(quantity('64Gi')) >= 0\"}}]", "",
		"d3", 1},
	{",\"selectors\":[{\"cel\":{\"expression\":\"device.attributes['gpu.example.com'].nothing == 1\"}}]", "", "", 0},
	{",\"count\":2", ",\"constraints\":[{\"matchAttribute\":\"gpu.example.com/numa\"}]", "d0 d2", 2},
	{",\"count\":3", ",\"constraints\":[{\"matchAttribute\":\"gpu.example.com/numa\"}]", "", 0},
	/* The first device of the order would leave no partner: the search takes it back. */
	{",\"count\":2,\"selectors\":[{\"cel\":{\"expression\":\"device.attributes['gpu.example.com'].model == 'large' || "
	 "device.attributes['gpu.example.com'].numa == 0 && device.capacity['gpu.example.com'].memory < quantity('1Gi') || "
	 "device.attributes['gpu.example.com'].numa == 1\"}}]",
		",\"constraints\":[{\"matchAttribute\":\"gpu.example.com/numa\"}]", "d1 d3", 2},
};

static void a_claim_gets_the_devices_that_it_asks_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(wishes); i++) {
		struct bench b = open_bench();
		add_class(&b);
		add_node(b.c, "n");
		add_devices(&b, "n", 4);
		add_claim(&b, "c", wishes[i].wanted, wishes[i].rest, "");
		add_claiming_pod(&b, add_group(b.c, "j", .queue = "q"), "p", "c", true, NULL);
		run_cycle(b.c);
		assert_string_equal(devices_of(&b, "p"), wishes[i].devices);
		assert_string_equal(node_of(b.c, "p"), *wishes[i].devices ? "n" : "");
		if (*wishes[i].devices)
			assert_true(pod_seen(b.c, "p").gpus == wishes[i].gpus);
		else
			assert_int_equal(record_of(b.c, "j").reason, STINT_REASON_NO_ROOM);
		close_bench(&b);
	}
}

struct trouble {
	const char *wanted, *rest;
	enum stint_claim_problem problem;
};

static void what_is_not_understood_gives_no_device(void **state)
{
	(void)state;
	static const struct trouble troubles[] = {
		{",\"selectors\":[{\"cel\":{\"expression\":\"device.driver.matches('.*')\"}}]", "", STINT_CLAIM_NOT_UNDERSTOOD},
		{",\"adminAccess\":true", "", STINT_CLAIM_NOT_UNDERSTOOD},
		{",\"capacity\":{\"requests\":{\"memory\":\"1Gi\"}}", "", STINT_CLAIM_NOT_UNDERSTOOD},
		{"", ",\"constraints\":[{\"distinctAttribute\":\"gpu.example.com/numa\"}]", STINT_CLAIM_NOT_UNDERSTOOD},
		{",\"count\":33", "", STINT_CLAIM_TOO_MANY},
	};
	for (size_t i = 0; i < STINT_COUNT(troubles); i++) {
		struct bench b = open_bench();
		add_class(&b);
		add_node(b.c, "n");
		add_devices(&b, "n", 40);
		add_claim(&b, "c", troubles[i].wanted, troubles[i].rest, "");
		add_claiming_pod(&b, add_group(b.c, "j", .queue = "q"), "p", "c", true, NULL);
		assert_int_equal(run_cycle(b.c), 0);
		assert_int_equal(record_of(b.c, "j").reason, STINT_REASON_CLAIM);
		assert_int_equal(record_of(b.c, "j").problem, troubles[i].problem);
		close_bench(&b);
	}
}

static void a_pod_waits_for_its_claim_and_the_class_of_it(void **state)
{
	(void)state;
	struct bench b = open_bench();
	add_node(b.c, "n");
	add_devices(&b, "n", 1);
	add_claiming_pod(&b, add_group(b.c, "j", .queue = "q"), "p", "c", true, NULL);
	run_cycle(b.c);
	assert_int_equal(record_of(b.c, "j").problem, STINT_CLAIM_UNKNOWN);
	add_claim(&b, "c", "", "", "");
	run_cycle(b.c);
	assert_int_equal(record_of(b.c, "j").problem, STINT_CLAIM_NO_CLASS);
	add_class(&b);
	run_cycle(b.c);
	assert_string_equal(devices_of(&b, "p"), "d0");
	close_bench(&b);
}

static void a_device_is_given_once_and_again_when_it_is_free(void **state)
{
	(void)state;
	struct bench b = open_bench();
	add_class(&b);
	add_node(b.c, "n");
	add_devices(&b, "n", 2);
	for (int i = 0; i < 3; i++) {
		char claim[8], pod[8];
		snprintf(claim, sizeof claim, "c%d", i);
		snprintf(pod, sizeof pod, "p%d", i);
		add_claim(&b, claim, "", "", "");
		add_claiming_pod(&b, add_group(b.c, pod, .queue = "q", .age_s = 10 - i), pod, claim, true, NULL);
	}
	run_cycle(b.c);
	assert_string_equal(devices_of(&b, "p0"), "d0");
	assert_string_equal(devices_of(&b, "p1"), "d1");
	assert_string_equal(devices_of(&b, "p2"), "");
	stint_engine_pod_undo(b.c->engine, pod_named(b.c, "p0"));
	stint_engine_pod_remove(b.c->engine, "p0");
	run_cycle(b.c);
	assert_string_equal(devices_of(&b, "p2"), "d0");
	close_bench(&b);
}

static void an_allocated_claim_holds_its_devices_without_any_pod(void **state)
{
	(void)state;
	static const char held[] =
		",\"status\":{\"allocation\":{\"devices\":{\"results\":[{\"request\":\"r\",\"driver\":\"gpu.example.com\","
		"\"pool\":\"n\",\"device\":\"d0\"}]},\"nodeSelector\":{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":"
		"\"metadata.name\",\"operator\":\"In\",\"values\":[\"n\"]}]}]}},\"reservedFor\":[{\"resource\":\"pods\","
		"\"name\":\"other\",\"uid\":\"other\"}]}";
	struct bench b = open_bench();
	add_class(&b);
	add_node(b.c, "n");
	add_claim(&b, "other", "", "", held); /* before the slice that offers the device */
	add_devices(&b, "n", 1);
	add_claim(&b, "c", "", "", "");
	add_claiming_pod(&b, add_group(b.c, "j", .queue = "q"), "p", "c", true, NULL);
	run_cycle(b.c);
	assert_string_equal(devices_of(&b, "p"), "");
	add_claim(&b, "other", "", "", ""); /* given back */
	run_cycle(b.c);
	assert_string_equal(devices_of(&b, "p"), "d0");
	close_bench(&b);
}

static void a_shared_claim_binds_its_pods_to_one_node(void **state)
{
	(void)state;
	struct bench b = open_bench();
	add_class(&b);
	add_node(b.c, "a", .cpu_milli = 1500);
	add_node(b.c, "b", .cpu_milli = 2500);
	add_devices(&b, "a", 1);
	add_devices(&b, "b", 1);
	add_claim(&b, "c", "", "", "");
	for (int i = 0; i < 3; i++) {
		char pod[8];
		snprintf(pod, sizeof pod, "p%d", i);
		add_claiming_pod(&b, add_group(b.c, pod, .queue = "q", .age_s = 10 - i), pod, "c", false, i == 0 ? "b" : NULL);
	}
	add_claim(&b, "c", "", "",
		",\"status\":{\"allocation\":{\"devices\":{\"results\":[{\"request\":\"r\",\"driver\":\"gpu.example.com\",\"pool\":\"b\","
		"\"device\":\"d0\"}]},\"nodeSelector\":{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"metadata.name\",\"operator\":"
		"\"In\",\"values\":[\"b\"]}]}]}},\"reservedFor\":[{\"resource\":\"pods\",\"name\":\"p0\",\"uid\":\"p0\"}]}");
	run_cycle(b.c);
	assert_string_equal(node_of(b.c, "p1"), "b");
	assert_string_equal(node_of(b.c, "p2"), ""); /* its node has no room, and no other node has the claim */
	struct stint_node_view view;
	stint_engine_node_view(b.c->engine, stint_engine_node_find(b.c->engine, "b"), &view);
	assert_int_equal(view.gpus_idle, 0); /* one device, whoever shares it */
	close_bench(&b);
}

static void news_of_slices_move_nothing(void **state)
{
	(void)state;
	struct bench b = open_bench();
	add_class(&b);
	add_node(b.c, "n");
	add_devices(&b, "n", 3);
	add_claim(&b, "c", ",\"count\":2", "", "");
	add_claiming_pod(&b, add_group(b.c, "j", .queue = "q"), "p", "c", true, NULL);
	run_cycle(b.c);
	assert_string_equal(devices_of(&b, "p"), "d0 d1");
	add_devices(&b, "n", 1);
	assert_string_equal(devices_of(&b, "p"), "d0 d1"); /* d1 is not offered any more, and still used */
	add_devices(&b, "n", 12);
	assert_string_equal(devices_of(&b, "p"), "d0 d1");
	add_claim(&b, "c2", ",\"count\":10", "", "");
	add_claiming_pod(&b, add_group(b.c, "j2", .queue = "q"), "p2", "c2", true, NULL);
	run_cycle(b.c);
	assert_string_equal(devices_of(&b, "p2"), "d2 d3 d4 d5 d6 d7 d8 d9 d10 d11");
	close_bench(&b);
}

/* ---- zones ----------------------------------------------------------------------------------------------------------------------------- */

struct zoning {
	enum stint_numa_policy policy;
	int64_t cpu_milli;
	bool guaranteed;
	const char *zones; /* "0 1"; "-": waits; "": takes nothing of zones */
};

static void zones_are_given_as_the_policy_says(void **state)
{
	(void)state;
	/* Zone 0 has 4 cores of which 1 is free, zones 1 and 2 have 4. */
	static const struct zoning zonings[] = {
		{STINT_NUMA_SINGLE, 1000, true, "0"},
		{STINT_NUMA_SINGLE, 2000, true, "1"},
		{STINT_NUMA_SINGLE, 5000, true, "-"},
		{STINT_NUMA_SINGLE, 5000, false, ""},
		{STINT_NUMA_SINGLE, 1500, true, ""}, /* parts of cores come from the shared pool */
		{STINT_NUMA_RESTRICTED, 4000, true, "1"},
		{STINT_NUMA_RESTRICTED, 5000, true, "0 1"},
		{STINT_NUMA_RESTRICTED, 6000, true, "1 2"},
		{STINT_NUMA_RESTRICTED, 9000, true, "0 1 2"},
		{STINT_NUMA_RESTRICTED, 10000, true, "-"},
		{STINT_NUMA_BEST_EFFORT, 5000, true, "0 1"},
		{STINT_NUMA_BEST_EFFORT, 20000, true, "0 1 2"},
		{STINT_NUMA_NONE, 5000, true, ""},
	};
	for (size_t i = 0; i < STINT_COUNT(zonings); i++) {
		struct bench b = open_bench();
		const struct stint_numa_amount busy = {"cpu", 4000, 1000}, idle = {"cpu", 4000, 4000};
		const struct stint_numa_zone zones[] = {{2, &idle, 1}, {0, &busy, 1}, {1, &idle, 1}};
		add_node(b.c, "n");
		stint_engine_node_numa(b.c->engine, "n", &(struct stint_numa){zonings[i].policy, zones, 3});
		struct stint_pod *pod = stint_arena_alloc(b.c->arena, sizeof *pod);
		const struct pod_is is = {.cpu_milli = zonings[i].cpu_milli};
		pod->meta = cluster_object(b.c, STINT_KIND_POD, "p", 0);
		pod->spec = pod_spec(b.c, &is);
		pod->guaranteed = zonings[i].guaranteed;
		stint_engine_pod_upsert(b.c->engine,
			&(struct stint_pod_facts){.pod = pod, .group = add_group(b.c, "j", .queue = "q"), .status = STINT_POD_PENDING});
		run_cycle(b.c);
		int32_t numbers[STINT_MAX_ZONES];
		const uint32_t count = stint_engine_pod_zones(b.c->engine, pod_named(b.c, "p"), numbers);
		char text[32] = "";
		for (uint32_t z = 0; z < count; z++)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", z ? " " : "", numbers[z]);
		assert_string_equal(*node_of(b.c, "p") ? text : "-", zonings[i].zones);
		if (*node_of(b.c, "p"))
			stint_engine_pod_undo(b.c->engine, pod_named(b.c, "p"));
		struct stint_zone_view view;
		for (uint32_t z = 0; stint_engine_zone_view(b.c->engine, stint_engine_node_find(b.c->engine, "n"), z, 0, &view); z++)
			assert_int_equal(view.available, z == 0 ? 1000 : 4000); /* what was taken is back */
		close_bench(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_gets_the_devices_that_it_asks_for),
		cmocka_unit_test(what_is_not_understood_gives_no_device),
		cmocka_unit_test(a_pod_waits_for_its_claim_and_the_class_of_it),
		cmocka_unit_test(a_device_is_given_once_and_again_when_it_is_free),
		cmocka_unit_test(an_allocated_claim_holds_its_devices_without_any_pod),
		cmocka_unit_test(a_shared_claim_binds_its_pods_to_one_node),
		cmocka_unit_test(news_of_slices_move_nothing),
		cmocka_unit_test(zones_are_given_as_the_policy_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
