/*
 * Devices and nodes: what a share takes, which slot and which node it gets, what counts as free, and what keeps a pod off a node.
 */
#include "tests/unit/test.h"

#include "cluster.h"

static struct cluster *with_queue(void)
{
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1, .weight = 1);
	return c;
}

static uint32_t job(struct cluster *c, const char *key)
{
	return add_group(c, key, .queue = "q");
}

static int idle_gpus(const struct cluster *c, const char *node)
{
	struct stint_node_view view;
	assert_true(stint_engine_node_view(c->engine, stint_engine_node_find(c->engine, node), &view));
	return view.gpus_idle;
}

static int64_t used_mib(const struct cluster *c, const char *node, uint32_t slot)
{
	struct stint_device_view view;
	assert_true(stint_engine_device_view(c->engine, stint_engine_node_find(c->engine, node), slot, &view));
	return view.used_mib;
}

/* ---- amounts ---------------------------------------------------------------------------------------------------------------------- */

struct conversion {
	int64_t device_mib;
	struct pod_is pod;
	int64_t takes_mib;
	double charged, asked; /* in devices; asked: while it waits, beside a smallest device of the same size */
};

static const struct conversion conversions[] = {
	{100, {.portion = 0.5}, 50, 0.5, 0.5},
	{100, {.portion = 0.57}, 56, 0.57, 0.57}, /* the product in binary is a little less than 57 */
	{100, {.portion = 0.29}, 28, 0.29, 0.29},
	{16300, {.portion = 0.5, .devices = 2}, 8150, 1, 1},
	{16300, {.portion = 0.333}, 5427, 0.33, 0.33},
	{16300, {.mib = 2000}, 2000, 0.13, 2000.0 / 16300},
	{16300, {.mib = 8150, .devices = 2}, 8150, 1, 1},
	{16300, {.gpus = 1}, 16300, 1, 1},
	{16300, {.mib = 16300}, 16300, 1, 1},
};

static void shares_are_converted_to_memory_and_charges(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(conversions); i++) {
		const struct conversion *conversion = &conversions[i];
		struct cluster *c = with_queue();
		add_node(c, "n0", .gpus = 2, .mib = conversion->device_mib);
		add_pod_(c, job(c, "job"), "pod", conversion->pod);
		struct stint_queue_view queue;
		stint_engine_queue_view(c->engine, stint_engine_queue_find(c->engine, "q"), &queue);
		assert_int_equal(run_cycle(c), 1);
		const struct stint_pod_view pod = pod_seen(c, "pod");
		if (pod.device_memory_mib != conversion->takes_mib || pod.gpus != conversion->charged)
			fail_msg("case %zu: %lld MiB, charged %g", i, (long long)pod.device_memory_mib, pod.gpus);
		if (conversion->device_mib > 100 && queue.requested[STINT_GPU] != conversion->asked)
			fail_msg("case %zu: asks for %.17g", i, queue.requested[STINT_GPU]);
		cluster_free(c);
	}
}

static void memory_needs_a_device_of_known_and_sufficient_size(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "unknown", .gpus = 8, .mib = -1);
	add_node(c, "small", .gpus = 8, .mib = 8000);
	add_pod(c, job(c, "large"), "large", .mib = 8001);
	add_pod(c, job(c, "multiple"), "multiple", .mib = 16000);
	add_pod(c, job(c, "fits"), "fits", .mib = 8000);
	run_cycle(c);
	assert_string_equal(node_of(c, "large"), "");
	assert_string_equal(node_of(c, "multiple"), "");
	assert_string_equal(node_of(c, "fits"), "small");
	cluster_free(c);
}

/* ---- slots ------------------------------------------------------------------------------------------------------------------------ */

/* One node of four devices of 100 MiB; what runs by slot, what comes, and the slots it gets. */
struct slots_case {
	const char *says;
	enum stint_placement placement;
	double runs[4]; /* part of the device in use; 1: a pod has it alone */
	struct pod_is pod;
	uint64_t slots; /* 0: it must wait */
};

static const struct slots_case slots_cases[] = {
	{"whole devices take the lowest idle slots", STINT_BINPACK, {0, 1, 0, 0}, {.gpus = 2}, 0x5},
	{"whole devices are not shared ones", STINT_BINPACK, {0.1, 0.1, 0.1, 0}, {.gpus = 2}, 0},
	{"packing takes the fullest that fits", STINT_BINPACK, {0.2, 0.6, 0.4, 0}, {.portion = 0.4}, 0x2},
	{"packing leaves the one that is too full", STINT_BINPACK, {0.2, 0.7, 0.4, 0}, {.portion = 0.4}, 0x4},
	{"packing opens a device last", STINT_BINPACK, {0.9, 1, 0, 0}, {.portion = 0.2}, 0x4},
	{"equal devices go by slot", STINT_BINPACK, {0.5, 0.5, 0.5, 0}, {.portion = 0.5}, 0x1},
	{"spreading opens a device first", STINT_SPREAD, {0.2, 0, 0, 0}, {.portion = 0.4}, 0x2},
	{"spreading takes the emptiest when none is idle", STINT_SPREAD, {0.5, 0.2, 0.4, 1}, {.portion = 0.4}, 0x2},
	{"two halves are on two devices", STINT_BINPACK, {0.5, 0, 0, 0}, {.portion = 0.5, .devices = 2}, 0x3},
	{"two halves never share one device", STINT_BINPACK, {0, 1, 1, 1}, {.portion = 0.5, .devices = 2}, 0},
	{"MiB and fractions share a device", STINT_BINPACK, {0.5, 1, 1, 1}, {.mib = 50}, 0x1},
	{"no device goes above its memory", STINT_BINPACK, {0.51, 1, 1, 1}, {.mib = 50}, 0},
};

static void shares_get_their_slots_by_placement_then_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(slots_cases); i++) {
		const struct slots_case *k = &slots_cases[i];
		struct cluster *c = with_queue();
		c->policy = stint_policy_of(k->placement, k->placement);
		add_node(c, "n0", .gpus = 4);
		for (unsigned slot = 0; slot < 4; slot++) {
			stint_autofree char *name = stint_format("run-%u", slot);
			if (k->runs[slot] == 1)
				add_pod(c, job(c, name), name, .gpus = 1, .on = "n0", .slots = UINT64_C(1) << slot);
			else if (k->runs[slot] > 0)
				add_pod(c, job(c, name), name, .portion = k->runs[slot], .on = "n0", .slots = UINT64_C(1) << slot);
		}
		add_pod_(c, job(c, "new"), "new", k->pod);
		run_cycle(c);
		const uint64_t got = pod_seen(c, "new").devices;
		if (got != k->slots)
			fail_msg("%s: slots %#llx and not %#llx", k->says, (unsigned long long)got, (unsigned long long)k->slots);
		cluster_free(c);
	}
}

static void a_device_is_free_when_its_last_share_has_gone(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n0", .gpus = 2);
	add_pod(c, job(c, "a"), "a", .portion = 0.5, .on = "n0", .slots = 1);
	add_pod(c, job(c, "b"), "b", .portion = 0.25, .on = "n0", .slots = 1);
	assert_int_equal(idle_gpus(c, "n0"), 1);
	assert_int_equal(used_mib(c, "n0", 0), 75);
	stint_engine_pod_remove(c->engine, "a");
	assert_int_equal(idle_gpus(c, "n0"), 1);
	stint_engine_pod_remove(c->engine, "b");
	assert_int_equal(idle_gpus(c, "n0"), 2);
	assert_int_equal(used_mib(c, "n0", 0), 0);
	cluster_free(c);
}

static void pods_on_unknown_slots_keep_devices_from_others(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n0", .gpus = 4);
	add_pod(c, STINT_NO_HANDLE, "foreign", .gpus = 2, .on = "n0");
	add_pod(c, job(c, "two"), "two", .gpus = 2);
	add_pod(c, job(c, "half"), "half", .portion = 0.5);
	run_cycle(c);
	assert_string_equal(node_of(c, "half"), "n0");
	assert_string_equal(node_of(c, "two"), "");
	assert_int_equal(idle_gpus(c, "n0"), 1);
	cluster_free(c);
}

/* The node's device count has fallen below a slot that a running pod was given. */
static void a_pod_on_slots_that_the_node_lacks_keeps_devices_from_others(void **state)
{
	(void)state;
	const struct {
		uint64_t slots;
		int idle_before, idle_after_growth;
	} cases[] = {
		{UINT64_C(3) << 4, 2, 6}, /* both beyond */
		{UINT64_C(1) << 1 | UINT64_C(1) << 5, 2, 6}, /* one beyond */
		{3, 2, 6}, {0, 2, 6}, /* nobody knows */
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct cluster *c = with_queue();
		add_node(c, "n0", .gpus = 4);
		add_pod(c, job(c, "old"), "old", .gpus = 2, .on = "n0", .slots = cases[i].slots);
		assert_int_equal(idle_gpus(c, "n0"), cases[i].idle_before);
		add_pod(c, job(c, "three"), "three", .gpus = 3);
		run_cycle(c);
		assert_string_equal(node_of(c, "three"), "");
		add_node(c, "n0", .gpus = 8);
		assert_int_equal(idle_gpus(c, "n0"), cases[i].idle_after_growth);
		stint_engine_pod_remove(c->engine, "old");
		assert_int_equal(idle_gpus(c, "n0"), 8);
		cluster_free(c);
	}
}

static void a_device_that_the_label_counts_and_the_kubelet_does_not_offer_is_not_used(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n0", .gpus = 3, .label_gpus = 4);
	add_pod(c, job(c, "four"), "four", .gpus = 4);
	add_pod(c, job(c, "three"), "three", .gpus = 3);
	run_cycle(c);
	assert_string_equal(node_of(c, "four"), "");
	assert_string_equal(node_of(c, "three"), "n0");
	cluster_free(c);
}

static void a_holder_uses_a_pod_slot_and_no_device(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n0", .gpus = 1, .pods = 3);
	add_pod(c, STINT_NO_HANDLE, "holder", .gpus = 1, .on = "n0", .holder = true);
	assert_int_equal(idle_gpus(c, "n0"), 1);
	add_pod(c, job(c, "half"), "half", .portion = 0.5);
	run_cycle(c);
	assert_string_equal(node_of(c, "half"), "n0");
	cluster_free(c);
}

static void opening_a_shared_device_needs_a_second_pod_slot(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n0", .gpus = 2, .pods = 2);
	add_pod(c, job(c, "a"), "a", .portion = 0.5, .on = "n0", .slots = 1);
	add_pod(c, job(c, "large"), "large", .portion = 0.6);
	run_cycle(c);
	assert_string_equal(node_of(c, "large"), "");
	add_pod(c, job(c, "small"), "small", .portion = 0.5);
	run_cycle(c);
	assert_string_equal(node_of(c, "small"), "n0");
	cluster_free(c);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------------ */

static void packing_fills_the_node_with_the_least_left(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "a", .gpus = 8);
	add_node(c, "b", .gpus = 2);
	add_pod(c, job(c, "run"), "run", .gpus = 7, .on = "a", .slots = 0x7F);
	add_pod(c, job(c, "one"), "one", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "one"), "a");
	add_pod(c, job(c, "two"), "two", .gpus = 2);
	run_cycle(c);
	assert_string_equal(node_of(c, "two"), "b");
	cluster_free(c);
}

static void spreading_takes_the_node_with_the_largest_part_free(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	c->policy = stint_policy_of(STINT_SPREAD, STINT_SPREAD);
	add_node(c, "a", .gpus = 8, .cpu_milli = 8000);
	add_node(c, "b", .gpus = 2, .cpu_milli = 4000);
	add_pod(c, job(c, "run"), "run", .gpus = 1, .cpu_milli = 1000, .on = "a", .slots = 1);
	add_pod(c, job(c, "one"), "one", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "one"), "b");
	add_pod(c, job(c, "two"), "two", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "two"), "a");
	cluster_free(c);
}

static void equal_nodes_go_by_name_whenever_they_came(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n2", .gpus = 1);
	add_node(c, "n1", .gpus = 1);
	add_pod(c, job(c, "a"), "a", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "a"), "n1");
	stint_engine_pod_remove(c->engine, "a");
	add_node(c, "n0", .gpus = 1);
	add_pod(c, job(c, "b"), "b", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "b"), "n0");
	cluster_free(c);
}

static void pods_without_gpus_prefer_nodes_without(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "gpu", .gpus = 1, .cpu_milli = 8000);
	add_node(c, "plain", .cpu_milli = 64000);
	add_pod(c, job(c, "run"), "run", .portion = 0.5, .cpu_milli = 6000, .on = "gpu", .slots = 1);
	add_pod(c, job(c, "a"), "a", .cpu_milli = 1000);
	run_cycle(c);
	assert_string_equal(node_of(c, "a"), "plain");
	cluster_free(c);
}

static void a_partly_used_device_draws_shares_to_its_node(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "a", .gpus = 1);
	add_node(c, "b", .gpus = 8);
	add_pod(c, job(c, "run"), "run", .portion = 0.5, .on = "b", .slots = 1);
	add_pod(c, job(c, "half"), "half", .portion = 0.5);
	run_cycle(c);
	assert_string_equal(node_of(c, "half"), "b");
	assert_int_equal(pod_seen(c, "half").devices, 1);
	cluster_free(c);
}

static void a_nominated_node_comes_before_everything(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "a", .gpus = 1);
	add_node(c, "b", .gpus = 8);
	add_pod(c, job(c, "nominated"), "nominated", .gpus = 1, .nominated = "b");
	add_pod(c, job(c, "gone"), "gone", .gpus = 1, .nominated = "no-such-node");
	run_cycle(c);
	assert_string_equal(node_of(c, "nominated"), "b");
	assert_string_equal(node_of(c, "gone"), "a");
	cluster_free(c);
}

/* ---- what keeps a pod off --------------------------------------------------------------------------------------------------------- */

struct obstacle {
	const char *says;
	struct node_is node;
	struct pod_is pod;
	enum stint_cause cause;
	bool even_empty;
};

static const struct obstacle obstacles[] = {
	{"cordoned", {.gpus = 1, .cordoned = true}, {.gpus = 1}, STINT_CAUSE_UNSCHEDULABLE, false},
	{"not ready", {.gpus = 1, .down = true}, {.gpus = 1}, STINT_CAUSE_NOT_READY, false},
	{"under pressure", {.gpus = 1, .pressures = STINT_PRESSURE_MEMORY}, {.gpus = 1}, STINT_CAUSE_PRESSURE, false},
	{"another label", {.gpus = 1, .label = "zone", .value = "b"}, {.gpus = 1, .selects = "zone", .selected = "a"}, STINT_CAUSE_SELECTOR,
		true},
	{"a taint", {.gpus = 1, .taint = "gpu-only"}, {.gpus = 1, .tolerates = "other"}, STINT_CAUSE_TAINT, true},
	{"too few devices", {.gpus = 1}, {.gpus = 2}, STINT_CAUSE_GPU, true},
	{"no device to share", {.gpus = 0}, {.portion = 0.5}, STINT_CAUSE_GPU_SHARE, true},
	{"too small devices", {.gpus = 1, .mib = 8000}, {.mib = 9000}, STINT_CAUSE_GPU_MEMORY, true},
	{"devices of unknown size", {.gpus = 1, .mib = -1}, {.mib = 50}, STINT_CAUSE_GPU_MEMORY, true},
	{"too few cores", {.cpu_milli = 1000}, {.cpu_milli = 1001}, STINT_CAUSE_CPU, true},
	{"too little memory", {.memory_bytes = GIB}, {.memory_bytes = GIB + 1}, STINT_CAUSE_MEMORY, true},
	{"a resource it does not offer", {.gpus = 1}, {.resource = "example.com/nic", .resource_milli = 1000}, STINT_CAUSE_EXTENDED, true},
	{"too little of a resource", {.resource = "example.com/nic", .resource_milli = 1000},
		{.resource = "example.com/nic", .resource_milli = 2000}, STINT_CAUSE_EXTENDED, true},
	{"a request that makes no sense", {.gpus = 1}, {.problem = "gpu-fraction is not a number"}, STINT_CAUSE_REQUEST, true},
};

static void every_obstacle_keeps_a_pod_off_and_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(obstacles); i++) {
		const struct obstacle *o = &obstacles[i];
		struct cluster *c = with_queue();
		add_node_(c, "n0", o->node);
		const uint32_t group = job(c, "job");
		add_pod_(c, group, "pod", o->pod);
		if (run_cycle(c) != 0)
			fail_msg("%s: it was placed", o->says);
		struct stint_why why;
		stint_engine_why(c->engine, group, &why);
		if (why.record.reason != STINT_REASON_NO_ROOM || why.short_of[o->cause] != 1 ||
			(why.even_empty[o->cause] == 1) != o->even_empty)
			fail_msg("%s: reason %d, %u of this cause", o->says, why.record.reason, why.short_of[o->cause]);
		if (why.never != o->even_empty)
			fail_msg("%s: never is %d", o->says, why.never);
		cluster_free(c);
	}
}

static void what_is_tolerated_or_matched_lets_a_pod_on(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "tainted", .gpus = 1, .taint = "gpu-only");
	add_node(c, "labelled", .gpus = 8, .label = "zone", .value = "a");
	add_pod(c, job(c, "a"), "a", .gpus = 1, .tolerates = "gpu-only");
	add_pod(c, job(c, "b"), "b", .gpus = 1, .selects = "zone", .selected = "a");
	run_cycle(c);
	assert_string_equal(node_of(c, "a"), "tainted");
	assert_string_equal(node_of(c, "b"), "labelled");
	cluster_free(c);
}

static void a_host_port_is_used_once_a_node(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n0");
	add_node(c, "n1");
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < 3; i++)
		add_pod(c, job(c, names[i]), names[i], .port = 8080);
	assert_int_equal(run_cycle(c), 2);
	assert_string_equal(node_of(c, "c"), "");
	cluster_free(c);
}

static void extended_resources_run_out(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	/* The pod asks before any node is known to offer it. */
	add_pod(c, job(c, "a"), "a", .resource = "example.com/nic", .resource_milli = 1000);
	add_pod(c, job(c, "b"), "b", .resource = "example.com/nic", .resource_milli = 1000);
	assert_int_equal(run_cycle(c), 0);
	add_node(c, "n0", .resource = "example.com/nic", .resource_milli = 1000);
	assert_int_equal(run_cycle(c), 1);
	stint_engine_pod_remove(c->engine, "a");
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "b"), "n0");
	cluster_free(c);
}

static void an_overcommitted_node_still_takes_what_it_is_not_short_of(void **state)
{
	(void)state;
	struct cluster *c = with_queue();
	add_node(c, "n0", .gpus = 1, .cpu_milli = 4000);
	add_pod(c, STINT_NO_HANDLE, "foreign", .gpus = 2, .cpu_milli = 1000, .on = "n0");
	add_pod(c, job(c, "cpu"), "cpu", .cpu_milli = 3000);
	add_pod(c, job(c, "gpu"), "gpu", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "cpu"), "n0");
	assert_string_equal(node_of(c, "gpu"), "");
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_converted_to_memory_and_charges),
		cmocka_unit_test(memory_needs_a_device_of_known_and_sufficient_size),
		cmocka_unit_test(shares_get_their_slots_by_placement_then_number),
		cmocka_unit_test(a_device_is_free_when_its_last_share_has_gone),
		cmocka_unit_test(pods_on_unknown_slots_keep_devices_from_others),
		cmocka_unit_test(a_pod_on_slots_that_the_node_lacks_keeps_devices_from_others),
		cmocka_unit_test(a_device_that_the_label_counts_and_the_kubelet_does_not_offer_is_not_used),
		cmocka_unit_test(a_holder_uses_a_pod_slot_and_no_device),
		cmocka_unit_test(opening_a_shared_device_needs_a_second_pod_slot),
		cmocka_unit_test(packing_fills_the_node_with_the_least_left),
		cmocka_unit_test(spreading_takes_the_node_with_the_largest_part_free),
		cmocka_unit_test(equal_nodes_go_by_name_whenever_they_came),
		cmocka_unit_test(pods_without_gpus_prefer_nodes_without),
		cmocka_unit_test(a_partly_used_device_draws_shares_to_its_node),
		cmocka_unit_test(a_nominated_node_comes_before_everything),
		cmocka_unit_test(every_obstacle_keeps_a_pod_off_and_is_named),
		cmocka_unit_test(what_is_tolerated_or_matched_lets_a_pod_on),
		cmocka_unit_test(a_host_port_is_used_once_a_node),
		cmocka_unit_test(extended_resources_run_out),
		cmocka_unit_test(an_overcommitted_node_still_takes_what_it_is_not_short_of),
	};
	return cmocka_run_group_tests_name("engine: devices and nodes", tests, NULL, NULL);
}
