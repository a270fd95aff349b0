/* What declared times promise: a blocked gang gets a start that holds, what would not be missed runs beside it, and nobody else is concerned. */
#include "cluster.h"

#include "../test.h"

/* Two nodes of four devices; `long` runs on all of n0 for 100 s more, `short` on half of n1 for 40 s more. */
static struct cluster *half_busy(void)
{
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4, .label = "name", .value = "n0");
	add_node(c, "n1", .gpus = 4, .label = "name", .value = "n1");
	add_queue(c, "q", .quota = 8);
	add_pod(c, add_group(c, "long", .queue = "q", .age_s = 900, .time_s = 200), "long-0", .gpus = 4, .on = "n0", .slots = 0xF,
		.ran_s = 100);
	add_pod(c, add_group(c, "short", .queue = "q", .age_s = 800, .time_s = 100), "short-0", .gpus = 2, .on = "n1", .slots = 0x3,
		.ran_s = 60);
	return c;
}

/* Two pods of a whole node each. */
static void add_gang(struct cluster *c, int64_t time_s)
{
	const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 700, .min = 2, .time_s = time_s);
	add_pod(c, gang, "gang-0", .gpus = 4);
	add_pod(c, gang, "gang-1", .gpus = 4);
}

static void a_blocked_gang_is_told_when_it_starts(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	add_gang(c, 0);
	run_cycle(c);
	assert_int_equal(record_of(c, "gang").reason, STINT_REASON_NO_ROOM);
	assert_int_equal(record_of(c, "gang").expected_ms, c->now_ms + 100 * 1000);
	assert_int_equal(stint_engine_expected(c->engine, stint_engine_group_find(c->engine, "gang"), c->now_ms), c->now_ms + 100 * 1000);
	cluster_free(c);
}

static int64_t expected_s(struct cluster *c, const char *name)
{
	const int64_t at_ms = stint_engine_expected(c->engine, stint_engine_group_find(c->engine, name), c->now_ms);
	return at_ms ? (at_ms - c->now_ms) / 1000 : -1;
}

/* One device, which `running` gives back in 15 s. */
static void nobody_is_promised_what_somebody_before_him_will_take(void **state)
{
	(void)state;
	static const struct {
		int64_t first_s; /* the declared time of the first in the line; 0: none */
		const char *queue; /* of the second */
		int64_t second_starts_s;
	} table[] = {{0, "q", -1}, {60, "q", 75}, {0, "poor", -1}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 1);
		add_queue(c, "q", .quota = 1);
		add_queue(c, "poor", .quota = 0);
		add_pod(c, add_group(c, "running", .queue = "q", .age_s = 900, .time_s = 15), "running-0", .gpus = 1, .on = "n0",
			.slots = 1, .ran_s = 0);
		add_pod(c, add_group(c, "first", .queue = "q", .age_s = 700, .time_s = table[i].first_s), "first-0", .gpus = 1);
		add_pod(c, add_group(c, "second", .queue = table[i].queue, .age_s = 600), "second-0", .gpus = 1);
		run_cycle(c);
		assert_int_equal(expected_s(c, "first"), 15);
		assert_int_equal(expected_s(c, "second"), table[i].second_starts_s);
		run_cycle(c); /* nothing of the question is left */
		assert_int_equal(c->last.count, 0);
		assert_int_equal(expected_s(c, "first"), 15);
		cluster_free(c);
	}
}

/* What is smaller and behind takes what comes free first, unless a reservation keeps it. */
static void who_behind_would_take_it_first_counts_as_well(void **state)
{
	(void)state;
	for (int keeps = 0; keeps < 2; keeps++) {
		struct cluster *c = cluster_new();
		c->policy.backfill = keeps ? STINT_BACKFILL_EASY : STINT_BACKFILL_NONE;
		add_node(c, "n0", .gpus = 2);
		add_queue(c, "q", .quota = 2);
		for (int pod = 0; pod < 2; pod++) {
			const char *name = pod ? "late" : "soon";
			add_pod(c, add_group(c, name, .queue = "q", .age_s = 900, .time_s = pod ? 40 : 20), name, .gpus = 1, .on = "n0",
				.slots = pod ? 2 : 1, .ran_s = 0);
		}
		add_pod(c, add_group(c, "wide", .queue = "q", .age_s = 700), "wide-0", .gpus = 2);
		add_pod(c, add_group(c, "small", .queue = "q", .age_s = 600), "small-0", .gpus = 1);
		run_cycle(c);
		assert_int_equal(expected_s(c, "wide"), keeps ? 40 : -1);
		assert_int_equal(expected_s(c, "small"), keeps ? -1 : 20);
		cluster_free(c);
	}
}

static void only_what_has_gone_by_then_may_use_its_nodes(void **state)
{
	(void)state;
	static const struct {
		int64_t time_s;
		const char *node;
	} table[] = {{0, ""}, {101, ""}, {100, "n1"}, {5, "n1"}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = half_busy();
		add_gang(c, 0);
		add_pod(c, add_group(c, "small", .queue = "q", .time_s = table[i].time_s), "small-0", .gpus = 1);
		run_cycle(c);
		assert_string_equal(node_of(c, "small-0"), table[i].node);
		if (!table[i].node[0]) {
			assert_int_equal(record_of(c, "small").reason, STINT_REASON_PROMISED);
			assert_int_equal(record_of(c, "small").blocker, stint_engine_group_find(c->engine, "gang"));
			assert_int_equal(record_of(c, "small").expected_ms, c->now_ms + 100 * 1000);
		}
		cluster_free(c);
	}
}

static void nobody_is_moved_to_get_round_a_promise(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	stint_policy_evict(&c->policy);
	stint_engine_pod_remove(c->engine, "short-0");
	add_gang(c, 0);
	add_pod(c, add_group(c, "small", .queue = "q"), "small-0", .gpus = 1);
	run_cycle(c);
	assert_int_equal(c->last.count, 0);
	assert_int_equal(record_of(c, "small").reason, STINT_REASON_PROMISED);
	cluster_free(c);
}

static void what_the_gang_will_not_need_is_open_to_all(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 700, .min = 2);
	add_pod(c, gang, "gang-0", .gpus = 4);
	add_pod(c, gang, "gang-1", .gpus = 3);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "second" : "first";
		add_pod(c, add_group(c, name, .queue = "q", .age_s = 600 - i), name, .gpus = 1);
	}
	run_cycle(c);
	assert_string_equal(node_of(c, "first"), "n1");
	assert_string_equal(node_of(c, "second"), "");
	cluster_free(c);
}

static void earlier_in_the_order_nobody_asks(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	add_gang(c, 0);
	add_pod(c, add_group(c, "urgent", .queue = "q", .priority = 60), "urgent-0", .gpus = 2);
	run_cycle(c);
	assert_string_equal(node_of(c, "urgent-0"), "n1");
	/* Its end is not known, so neither is the gang's start any more. */
	assert_int_equal(record_of(c, "gang").expected_ms, 0);
	cluster_free(c);
}

static void without_declared_times_nothing_is_kept_free(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4);
	add_queue(c, "q", .quota = 8);
	add_pod(c, add_group(c, "running", .queue = "q", .age_s = 900), "running-0", .gpus = 2, .on = "n0", .slots = 0x3, .ran_s = 100);
	add_pod(c, add_group(c, "big", .queue = "q", .age_s = 700), "big-0", .gpus = 4);
	add_pod(c, add_group(c, "small", .queue = "q"), "small-0", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "small-0"), "n0");
	assert_int_equal(record_of(c, "big").expected_ms, 0);
	cluster_free(c);
}

static void the_policy_can_do_without(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	c->policy.backfill = STINT_BACKFILL_NONE;
	add_gang(c, 0);
	add_pod(c, add_group(c, "small", .queue = "q"), "small-0", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "small-0"), "n1");
	cluster_free(c);
}

/*
 * Three nodes of four: the gang needs all of n0 and n1 and starts in 100 s; `second` needs all of n2, where `other` runs for 50 s more.
 * EASY keeps room for the first gang alone, so `small` takes what is free of n2; CONSERVATIVE keeps it for the second.
 */
static void conservative_keeps_room_for_the_second_gang_too(void **state)
{
	(void)state;
	for (int conservative = 0; conservative < 2; conservative++) {
		struct cluster *c = half_busy();
		add_node(c, "n2", .gpus = 4);
		add_queue(c, "wide", .quota = 12);
		add_pod(c, add_group(c, "other", .queue = "wide", .age_s = 750, .time_s = 70), "other-0", .gpus = 2, .on = "n2",
			.slots = 0x3, .ran_s = 20);
		const uint32_t gang = add_group(c, "gang", .queue = "wide", .age_s = 700, .min = 2);
		add_pod(c, gang, "gang-0", .gpus = 4, .selects = "name", .selected = "n0");
		add_pod(c, gang, "gang-1", .gpus = 4, .selects = "name", .selected = "n1");
		add_pod(c, add_group(c, "second", .queue = "wide", .age_s = 650), "second-0", .gpus = 4);
		add_pod(c, add_group(c, "small", .queue = "wide"), "small-0", .gpus = 1);
		c->policy.backfill = conservative ? STINT_BACKFILL_CONSERVATIVE : STINT_BACKFILL_EASY;
		run_cycle(c);
		assert_int_equal(record_of(c, "gang").expected_ms, c->now_ms + 100 * 1000);
		assert_int_equal(record_of(c, "second").expected_ms, conservative ? c->now_ms + 50 * 1000 : 0);
		assert_string_equal(node_of(c, "small-0"), conservative ? "" : "n2");
		cluster_free(c);
	}
}

static void a_reservation_is_kept_and_its_gang_starts_on_time(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	add_gang(c, 0);
	const int64_t start_ms = c->now_ms + 100 * 1000;
	for (int i = 0; i < 20; i++) {
		stint_autofree char *name = stint_format("small-%d", i);
		add_pod(c, add_group(c, name, .queue = "q", .time_s = 30 + i), name, .gpus = 1);
	}
	for (; c->now_ms < start_ms; c->now_ms += 5000) {
		run_cycle(c);
		assert_int_equal(record_of(c, "gang").expected_ms, start_ms);
		/* What has had its time goes. */
		for (int i = 0; i < 20; i++) {
			stint_autofree char *name = stint_format("small-%d", i);
			const uint32_t pod = pod_named(c, name);
			if (pod != STINT_NO_HANDLE && node_of(c, name)[0] && c->now_ms >= CLUSTER_NOW_MS + (30 + i) * 1000)
				stint_engine_pod_remove(c->engine, name);
		}
		if (c->now_ms == CLUSTER_NOW_MS + 40 * 1000)
			stint_engine_pod_remove(c->engine, "short-0");
	}
	stint_engine_pod_remove(c->engine, "long-0");
	for (int i = 0; i < 20; i++) {
		stint_autofree char *name = stint_format("small-%d", i);
		if (pod_named(c, name) != STINT_NO_HANDLE && node_of(c, name)[0])
			stint_engine_pod_remove(c->engine, name);
	}
	run_cycle(c);
	assert_string_not_equal(node_of(c, "gang-0"), "");
	assert_string_not_equal(node_of(c, "gang-1"), "");
	cluster_free(c);
}

/*
 * n0: three devices for 100 s more, on the fourth 0.3 for good; n1: one taken for good. The gang needs six whole ones: all that there will be.
 * A share beside the 0.3 delays nobody; one that has no room there would open a device.
 */
static void a_share_beside_what_stays_takes_nothing_of_a_promise(void **state)
{
	(void)state;
	static const struct {
		double portion;
		uint32_t devices;
		const char *node;
	} table[] = {{0.1, 1, "n0"}, {0.7, 1, "n0"}, {0.75, 1, ""}, {0.1, 2, ""}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 4);
		add_node(c, "n1", .gpus = 4);
		add_queue(c, "q", .quota = 8);
		add_pod(c, add_group(c, "run", .queue = "q", .age_s = 900, .time_s = 200), "run-0", .gpus = 3, .on = "n0", .slots = 0x7,
			.ran_s = 100);
		add_pod(c, add_group(c, "served", .queue = "q", .age_s = 900), "served-0", .portion = 0.3, .on = "n0", .slots = 0x8);
		add_pod(c, add_group(c, "used", .queue = "q", .age_s = 900), "used-0", .gpus = 1, .on = "n1", .slots = 0x1);
		const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 700, .min = 6);
		for (int pod = 0; pod < 6; pod++) {
			stint_autofree char *name = stint_format("gang-%d", pod);
			add_pod(c, gang, name, .gpus = 1);
		}
		add_pod(c, add_group(c, "small", .queue = "q"), "small-0", .portion = table[i].portion, .devices = table[i].devices);
		run_cycle(c);
		assert_int_equal(record_of(c, "gang").expected_ms, c->now_ms + 100 * 1000);
		assert_string_equal(node_of(c, "small-0"), table[i].node);
		if (!table[i].node[0])
			assert_int_equal(record_of(c, "small").reason, STINT_REASON_PROMISED);
		run_cycle(c);
		assert_int_equal(expected_s(c, "gang"), 100);
		cluster_free(c);
	}
}

/* One device: 0.3 for good, 0.5 for 100 s more. Then two shares of the gang get what is free of it, but for 0.7 less both of them. */
static void shares_that_are_promised_are_kept_as_well(void **state)
{
	(void)state;
	static const struct {
		double of_gang, portion;
		int64_t time_s;
		const char *node;
	} table[] = {{0.35, 0.1, 0, ""}, {0.35, 0.1, 101, ""}, {0.35, 0.1, 100, "n0"}, {0.3, 0.1, 0, "n0"}, {0.3, 0.15, 0, ""}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 1);
		add_queue(c, "q", .quota = 1);
		add_pod(c, add_group(c, "served", .queue = "q", .age_s = 900), "served-0", .portion = 0.3, .on = "n0", .slots = 0x1);
		add_pod(c, add_group(c, "run", .queue = "q", .age_s = 900, .time_s = 200), "run-0", .portion = 0.5, .on = "n0",
			.slots = 0x1, .ran_s = 100);
		const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 700, .min = 2);
		add_pod(c, gang, "gang-0", .portion = table[i].of_gang);
		add_pod(c, gang, "gang-1", .portion = table[i].of_gang);
		add_pod(c, add_group(c, "small", .queue = "q", .time_s = table[i].time_s), "small-0", .portion = table[i].portion);
		run_cycle(c);
		assert_int_equal(record_of(c, "gang").expected_ms, c->now_ms + 100 * 1000);
		assert_string_equal(node_of(c, "small-0"), table[i].node);
		cluster_free(c);
	}
}

/* On each device a share that goes within 100 s. What comes beside it for good keeps the device from being whole: one more than the gang needs. */
static void a_shared_device_that_all_leave_is_whole_by_then(void **state)
{
	(void)state;
	for (int devices = 2; devices < 4; devices++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = devices);
		add_queue(c, "q", .quota = 3);
		for (int slot = 0; slot < devices; slot++) {
			stint_autofree char *name = stint_format("run-%d", slot);
			add_pod(c, add_group(c, name, .queue = "q", .age_s = 900, .time_s = 200), name, .portion = 0.5, .on = "n0",
				.slots = UINT64_C(1) << slot, .ran_s = 100);
		}
		const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 700, .min = 2);
		add_pod(c, gang, "gang-0", .gpus = 1);
		add_pod(c, gang, "gang-1", .gpus = 1);
		add_pod(c, add_group(c, "first", .queue = "q", .age_s = 600), "first-0", .portion = 0.1);
		add_pod(c, add_group(c, "second", .queue = "q", .age_s = 500), "second-0", .portion = 0.1);
		add_pod(c, add_group(c, "third", .queue = "q", .age_s = 400), "third-0", .portion = 0.4);
		run_cycle(c);
		assert_int_equal(expected_s(c, "gang"), 100);
		assert_string_equal(node_of(c, "first-0"), devices == 2 ? "" : "n0");
		assert_string_equal(node_of(c, "second-0"), devices == 2 ? "" : "n0");
		assert_string_equal(node_of(c, "third-0"), ""); /* beside these two is no room: it would take the next device */
		run_cycle(c);
		assert_int_equal(expected_s(c, "gang"), 100);
		cluster_free(c);
	}
}

/* Its request would make its queue come after the other one, whose gang is promised all that is free. */
static void what_can_never_run_costs_its_queue_no_place(void **state)
{
	(void)state;
	static const struct {
		int gpus;
		uint32_t min;
	} table[] = {{0, 0}, {13, 1}, {3, 4}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 4);
		add_node(c, "n1", .gpus = 4);
		add_queue(c, "a", .quota = 4, .age_s = 10);
		add_queue(c, "b", .quota = 4);
		add_pod(c, add_group(c, "run", .queue = "a", .age_s = 900, .time_s = 200), "run-0", .gpus = 3, .on = "n0", .slots = 0x7,
			.ran_s = 100);
		const uint32_t gang = add_group(c, "gang", .queue = "a", .age_s = 700, .min = 2);
		add_pod(c, gang, "gang-0", .gpus = 4);
		add_pod(c, gang, "gang-1", .gpus = 4);
		const uint32_t never = table[i].min ? add_group(c, "never", .queue = "b", .age_s = 600, .min = table[i].min) : 0;
		for (uint32_t pod = 0; pod < table[i].min; pod++) {
			stint_autofree char *name = stint_format("never-%u", pod);
			add_pod(c, never, name, .gpus = table[i].gpus);
		}
		add_pod(c, add_group(c, "small", .queue = "b"), "small-0", .gpus = 1);
		run_cycle(c);
		assert_string_equal(node_of(c, "small-0"), "n0");
		if (table[i].min)
			assert_int_equal(record_of(c, "never").reason, STINT_REASON_NO_ROOM);
		cluster_free(c);
	}
}

static void what_could_not_run_takes_its_turn_when_a_node_comes(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	add_gang(c, 0);
	add_pod(c, add_group(c, "wide", .queue = "q"), "wide-0", .gpus = 6);
	run_cycle(c);
	assert_int_equal(record_of(c, "wide").reason, STINT_REASON_NO_ROOM);
	add_queue(c, "q", .quota = 20);
	add_node(c, "n2", .gpus = 6);
	run_cycle(c);
	assert_string_equal(node_of(c, "wide-0"), "n2");
	cluster_free(c);
}

/* ---- random worlds --------------------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static int below(int bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int)(random_state % (uint64_t)bound);
}

/* A pod that runs or wants to, alone in its group. */
struct guest {
	char name[16];
	struct pod_is is;
	int64_t time_s, started_ms; /* time 0: no end; started 0: waits */
	bool gone;
	char node[8];
};

enum { GUESTS = 40, STEP_S = 10 };

struct hotel {
	struct cluster *c;
	struct guest guests[GUESTS];
	int guests_count, running;
};

static struct pod_is random_request(void)
{
	static const double portions[] = {0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75};
	struct pod_is is = {0};
	switch (below(6)) {
	case 0: is.cpu_milli = 1000 * (1 + below(4)); break;
	case 1:
	case 2: is.gpus = 1 + below(2); break;
	default: is.portion = portions[below((int)STINT_COUNT(portions))]; is.devices = below(5) ? 1 : 2;
	}
	return is;
}

static void add_guest(struct hotel *h, int64_t age_s)
{
	struct guest *guest = &h->guests[h->guests_count];
	snprintf(guest->name, sizeof guest->name, "g%02d", h->guests_count++);
	guest->is = random_request();
	guest->time_s = below(3) ? STEP_S * (1 + below(30)) : 0;
	add_pod_(h->c, add_group(h->c, guest->name, .queue = "q", .age_s = age_s, .time_s = guest->time_s), guest->name, guest->is);
}

static void send_away(struct hotel *h, struct guest *guest)
{
	stint_engine_pod_remove(h->c->engine, guest->name);
	guest->gone = true;
}

/* What was placed is known to run from now on; what has had its time goes, some of it earlier. */
static void let_guests_live(struct hotel *h)
{
	struct cluster *c = h->c;
	for (int i = 0; i < h->guests_count; i++) {
		struct guest *guest = &h->guests[i];
		struct stint_pod_view view;
		if (guest->gone || !stint_engine_pod_view(c->engine, pod_named(c, guest->name), &view))
			continue;
		if (!guest->started_ms && view.status == STINT_POD_ASSUMED) {
			guest->started_ms = c->now_ms;
			snprintf(guest->node, sizeof guest->node, "%s", node_of(c, guest->name));
			guest->is.on = guest->node;
			guest->is.slots = view.devices;
		}
		if (!guest->started_ms)
			continue;
		stint_engine_pod_remove(c->engine, guest->name);
		const int64_t ran_s = (c->now_ms - guest->started_ms) / 1000 + STEP_S;
		guest->gone = guest->time_s && (ran_s >= guest->time_s || below(40) == 0);
		if (guest->gone)
			continue;
		c->now_ms += STEP_S * 1000;
		guest->is.ran_s = ran_s;
		add_pod_(c, stint_engine_group_find(c->engine, guest->name), guest->name, guest->is);
		c->now_ms -= STEP_S * 1000;
	}
}

/* All alike, so that no order in which they are placed makes a difference. */
static void add_random_gang(struct hotel *h, int devices)
{
	static const double portions[] = {0, 0, 0.25, 0.3, 0.5, 0.6};
	const double portion = portions[below((int)STINT_COUNT(portions))];
	const int count = 2 + below(devices + (portion > 0 ? devices : 0));
	const uint32_t gang = add_group(h->c, "gang", .queue = "q", .age_s = 700, .min = (uint32_t)count, .time_s = below(2) ? 500 : 0);
	for (int pod = 0; pod < count; pod++) {
		stint_autofree char *name = stint_format("gang-%d", pod);
		add_pod(h->c, gang, name, .gpus = portion > 0 ? 0 : 1, .portion = portion);
	}
}

static int promises_kept, beside;

static void run_hotel(uint64_t seed)
{
	struct hotel *h = stint_alloc(sizeof *h);
	struct cluster *c = h->c = cluster_new();
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	static const enum stint_placement placements[] = {STINT_BINPACK, STINT_SPREAD, STINT_UNORDERED, STINT_FRAGMENTATION};
	c->policy = stint_policy_of(placements[below(4)], placements[below(2)]);
	c->policy.backfill = below(2) ? STINT_BACKFILL_EASY : STINT_BACKFILL_CONSERVATIVE;
	const int nodes = 1 + below(3);
	int devices = 0;
	for (int node = 0; node < nodes; node++) {
		stint_autofree char *name = stint_format("n%d", node);
		const int gpus = 1 + below(4);
		devices += gpus;
		add_node(c, name, .gpus = gpus, .cpu_milli = 8000);
	}
	add_queue(c, "q", .quota = -1);
	for (int i = 2 + below(8); i > 0; i--)
		add_guest(h, 900 + i);
	run_cycle(c);
	let_guests_live(h);
	for (int i = 0; i < h->guests_count; i++) {
		if (!h->guests[i].started_ms)
			send_away(h, &h->guests[i]); /* who waits before the gang asks no promise */
	}
	add_random_gang(h, devices);
	int64_t promised_ms = INT64_MAX;
	for (int step = 0; step < 60; step++) {
		c->now_ms += STEP_S * 1000;
		run_cycle(c);
		const bool started = node_of(c, "gang-0")[0];
		const int64_t at_ms = started ? c->now_ms : record_of(c, "gang").expected_ms;
		if (promised_ms != INT64_MAX && (at_ms == 0 || at_ms > promised_ms))
			fail_msg("seed %llu, step %d: the gang was promised a start in %lld s and is told %lld s now",
				(unsigned long long)seed, step, (long long)(promised_ms - CLUSTER_NOW_MS) / 1000,
				(long long)(at_ms ? at_ms - CLUSTER_NOW_MS : 0) / 1000);
		if (started) {
			promises_kept += promised_ms != INT64_MAX;
			break;
		}
		promised_ms = at_ms ? at_ms : promised_ms;
		let_guests_live(h);
		for (int i = 0; i < h->guests_count && promised_ms != INT64_MAX; i++) {
			const struct guest *guest = &h->guests[i];
			beside += guest->started_ms == c->now_ms && guest->is.portion > 0 && !guest->time_s;
		}
		for (int more = below(3); more > 0 && h->guests_count < GUESTS; more--)
			add_guest(h, 600 - step);
	}
	cluster_free(c);
	free(h);
}

static void a_promised_start_is_never_put_off(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1000; seed++)
		run_hotel(seed);
	assert_true(promises_kept >= 150);
	assert_true(beside >= 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocked_gang_is_told_when_it_starts),
		cmocka_unit_test(nobody_is_promised_what_somebody_before_him_will_take),
		cmocka_unit_test(who_behind_would_take_it_first_counts_as_well),
		cmocka_unit_test(only_what_has_gone_by_then_may_use_its_nodes),
		cmocka_unit_test(nobody_is_moved_to_get_round_a_promise),
		cmocka_unit_test(what_the_gang_will_not_need_is_open_to_all),
		cmocka_unit_test(earlier_in_the_order_nobody_asks),
		cmocka_unit_test(without_declared_times_nothing_is_kept_free),
		cmocka_unit_test(the_policy_can_do_without),
		cmocka_unit_test(conservative_keeps_room_for_the_second_gang_too),
		cmocka_unit_test(a_reservation_is_kept_and_its_gang_starts_on_time),
		cmocka_unit_test(a_share_beside_what_stays_takes_nothing_of_a_promise),
		cmocka_unit_test(shares_that_are_promised_are_kept_as_well),
		cmocka_unit_test(a_shared_device_that_all_leave_is_whole_by_then),
		cmocka_unit_test(what_can_never_run_costs_its_queue_no_place),
		cmocka_unit_test(what_could_not_run_takes_its_turn_when_a_node_comes),
		cmocka_unit_test(a_promised_start_is_never_put_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
