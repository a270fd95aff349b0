/*
 * Gangs with parts: when they are ready, which pods are tried together, in which order they grow, and that a part which cannot be whole
 * starts nothing. A tree is written as text, each part with its parent before it: "a(1) b(1)" are two sets of pods in the root,
 * "ab[1]{a(1) b(1)}" a part that needs one of two.
 */
#include "tests/unit/test.h"

#include "cluster.h"

/* ---- trees as text ---------------------------------------------------------------------------------------------------------------- */

enum { MOST_PARTS = 16 };
struct tree {
	struct stint_part_spec parts[MOST_PARTS];
	size_t count;
	char names[MOST_PARTS][8];
};

/* "*" as a need is all. */
static const char *read_need(const char *at, uint32_t *need)
{
	*need = *at == '*' ? STINT_ALL : 0;
	for (; *at >= '0' && *at <= '9'; at++)
		*need = *need * 10 + (uint32_t)(*at - '0');
	return at + (*at == '*') + 1;
}

static const char *read_members(struct tree *tree, const char *at, uint32_t parent)
{
	while (*at && *at != '}') {
		if (*at == ' ') {
			at++;
			continue;
		}
		const uint32_t index = (uint32_t)tree->count++;
		struct stint_part_spec *part = &tree->parts[index];
		const size_t length = strcspn(at, "([");
		memcpy(tree->names[index], at, length);
		*part = (struct stint_part_spec){.name = tree->names[index], .parent = parent, .inner = at[length] == '['};
		at = read_need(at + length + 1, &part->needs);
		if (part->inner)
			at = read_members(tree, at + 1, index) + 1;
	}
	return at;
}

/* The root's need comes first: "[*]{a(1) b(1)}". */
static void read_tree(struct tree *tree, const char *text)
{
	*tree = (struct tree){.count = 1};
	tree->parts[0] = (struct stint_part_spec){.name = "", .inner = true};
	read_members(tree, read_need(text + 1, &tree->parts[0].needs) + 1, 0);
	assert_works(stint_parts_check(tree->parts, tree->count, &err));
}

/* ---- what happens ------------------------------------------------------------------------------------------------------------------- */

/*
 * pods: "part:count" wait, "part:count+" run already. room: devices of the one node, those of what runs included. runs: how many pods of each
 * set run in the end.
 */
static const struct {
	const char *what, *tree, *pods;
	int room;
	const char *runs;
} cases[] = {
	{"all parts start together", "[*]{a(1) b(2)}", "a:1 b:2", 3, "a:1 b:2"},
	{"or none of them", "[*]{a(1) b(2)}", "a:1 b:2", 2, "a:0 b:0"},
	{"what is beyond the minimum comes one by one", "[*]{a(1) b(1)}", "a:3 b:1", 3, "a:2 b:1"},
	{"the set that has least of what it needs grows first", "[*]{a(2) b(1)}", "a:4 b:4", 6, "a:4 b:2"},
	{"a set that needs none grows last", "[*]{a(0) b(1)}", "a:2 b:3", 3, "a:0 b:3"},
	{"sets that need none grow evenly", "[*]{a(0) b(0)}", "a:3 b:3", 4, "a:2 b:2"},
	{"a part needs as many members as it says", "[1]{a(2) b(2)}", "a:2 b:2", 3, "a:2 b:0"},
	{"and further ones come as a whole", "[1]{a(2) b(2)}", "a:2 b:2", 4, "a:2 b:2"},
	{"a member that runs counts", "[1]{a(1) b(1)}", "a:1 b:1+", 2, "a:1 b:1"},
	{"only what is missing is asked for", "[2]{a(1) b(1) c(1)}", "a:1 b:1 c:1+", 2, "a:1 b:0 c:1"},
	{"a member that cannot be whole leaves its turn to the next", "[1]{a(2) b(2)}", "a:1 b:2", 4, "a:0 b:2"},
	{"too few pods of a set that has to be there: nothing starts", "[*]{a(2) b(1)}", "a:1 b:1", 4, "a:0 b:0"},
	{"an optional set that lacks pods starts nothing", "[1]{a(1) b(2)}", "a:1 b:1", 4, "a:1 b:0"},
	{"needs are of each level", "[*]{x[1]{a(1) b(1)} y[*]{c(1) d(1)}}", "a:1 b:1 c:1 d:1", 3, "a:1 b:0 c:1 d:1"},
	{"inner parts grow as a whole too", "[1]{x[*]{a(1) b(1)} y[*]{c(1) d(1)}}", "a:1 b:1 c:1 d:1", 3, "a:1 b:1 c:0 d:0"},
	{"a root that needs nothing takes members one by one", "[0]{a(1) b(1)}", "a:1 b:1", 1, "a:1 b:0"},
	{"a pod of a part that does not exist is set aside", "[*]{a(1)}", "a:1 q:2", 4, "a:1 q:0"},
	{"also where it would be needed", "[*]{a(2)}", "a:1 q:1", 4, "a:0 q:0"},
	{"a pod cannot stand in a part that holds parts", "[*]{x[*]{a(1)}}", "a:1 x:1", 4, "a:1 x:0"},
};

static void add_pods(struct cluster *c, uint32_t group, const char *text)
{
	char part[8];
	int count, at = 0;
	while (sscanf(text, " %7[a-z]:%d%n", part, &count, &at) == 2) {
		text += at;
		const bool runs = *text == '+';
		text += runs;
		for (int i = 0; i < count; i++) {
			stint_autofree char *name = stint_format("%s-%d", part, i);
			add_pod(c, group, name, .gpus = 1, .part = part, .on = runs ? "n0" : NULL);
		}
	}
}

static void check_runs(const struct cluster *c, const char *what, const char *runs)
{
	char part[8];
	int count, at = 0;
	for (const char *text = runs; sscanf(text, " %7[a-z]:%d%n", part, &count, &at) == 2; text += at) {
		int found = 0;
		for (int i = 0; i < 10; i++) {
			stint_autofree char *name = stint_format("%s-%d", part, i);
			found += pod_named(c, name) != STINT_NO_HANDLE && pod_seen(c, name).node != STINT_NO_HANDLE;
		}
		if (found != count)
			fail_msg("%s: %d pods of %s run, and not %d", what, found, part, count);
	}
}

static void gangs_start_and_grow_by_their_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct cluster *c = cluster_new();
		struct tree tree;
		read_tree(&tree, cases[i].tree);
		add_queue(c, "q", .quota = -1);
		add_node(c, "n0", .gpus = cases[i].room);
		add_pods(c, add_group(c, "g", .queue = "q", .parts = tree.parts, .parts_count = tree.count), cases[i].pods);
		run_cycle(c);
		check_runs(c, cases[i].what, cases[i].runs);
		cluster_free(c);
	}
}

/* ---- records --------------------------------------------------------------------------------------------------------------------------- */

static void a_record_names_the_part(void **state)
{
	(void)state;
	static const struct {
		const char *tree, *pods, *part;
		enum stint_reason reason;
		uint32_t have, need;
	} rows[] = {
		{"[*]{a(1) b(2)}", "a:1 b:1", "b", STINT_REASON_INCOMPLETE, 1, 2},
		{"[*]{x[*]{a(3)} b(1)}", "a:2 b:1", "a", STINT_REASON_INCOMPLETE, 2, 3},
		{"[*]{a(2)}", "a:1 q:1", "q", STINT_REASON_NO_PART, 1, 0},
		{"[*]{a(1) b(2)}", "a:1 b:2", "b", STINT_REASON_NO_ROOM, 2, 3},
		{"[1]{a(1) b(2)}", "a:1+ b:1", "b", STINT_REASON_INCOMPLETE, 1, 2},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = cluster_new();
		struct tree tree;
		read_tree(&tree, rows[i].tree);
		add_queue(c, "q", .quota = -1);
		add_node(c, "n0", .gpus = 2);
		const uint32_t group = add_group(c, "g", .queue = "q", .parts = tree.parts, .parts_count = tree.count);
		add_pods(c, group, rows[i].pods);
		run_cycle(c);
		const struct stint_record record = record_of(c, "g");
		const struct stint_record_place place = stint_engine_record_place(c->engine, group);
		if (record.reason != rows[i].reason || record.have != rows[i].have || (rows[i].need && record.need != rows[i].need) ||
			!place.part || strcmp(place.part, rows[i].part) != 0)
			fail_msg("%s, %s: %s, %u of %u, part %s", rows[i].tree, rows[i].pods, stint_reason_name(record.reason), record.have,
				record.need, place.part ? place.part : "none");
		cluster_free(c);
	}
}

/* ---- the tree changes -------------------------------------------------------------------------------------------------------------------- */

static void pods_keep_their_part_when_the_tree_changes(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	struct tree two, three;
	read_tree(&two, "[*]{a(1) b(1)}");
	read_tree(&three, "[*]{a(1) b(1) q(1)}");
	add_queue(c, "q", .quota = -1);
	add_node(c, "n0", .gpus = 8);
	const uint32_t group = add_group(c, "g", .queue = "q", .min = 3);
	add_pods(c, group, "a:1 b:1 q:1");
	assert_int_equal(run_cycle(c), 0); /* the group has no parts: all three name one that does not exist */
	struct stint_group_view view;
	assert_true(stint_engine_group_view(c->engine, group, &view));
	assert_int_equal(view.pending, 0);
	add_group(c, "g", .queue = "q", .parts = two.parts, .parts_count = two.count);
	assert_int_equal(run_cycle(c), 2);
	add_group(c, "g", .queue = "q", .parts = three.parts, .parts_count = three.count);
	assert_int_equal(run_cycle(c), 1);
	add_pod(c, group, "b-0", .gpus = 1, .part = "a", .on = "n0"); /* one that moves to another part */
	assert_true(stint_engine_group_view(c->engine, group, &view));
	assert_int_equal(view.active, 3);
	assert_int_equal(view.min_member, 3);
	add_group(c, "g", .queue = "q", .min = 3);
	assert_true(stint_engine_group_view(c->engine, group, &view));
	assert_int_equal(view.parts, 0);
	cluster_free(c);
}

static void what_makes_no_tree_is_refused(void **state)
{
	(void)state;
	static const struct {
		struct stint_part_spec parts[3];
		size_t count;
		const char *message;
	} rows[] = {
		{{{.name = ""}}, 1, "the first part must be the root"},
		{{{.name = "", .inner = true}, {.name = "a"}, {.name = "a"}}, 3, "two sub-groups have the name \"a\""},
		{{{.name = "", .inner = true}, {.name = "a"}, {.name = "b", .parent = 1}}, 3, "\"b\" stands in none that holds others"},
		{{{.name = "", .inner = true}, {.name = "a", .parent = 1}}, 2, "\"a\" stands in none that holds others"},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++)
		assert_fails(stint_parts_check(rows[i].parts, rows[i].count, &err), STINT_USAGE, rows[i].message);
	struct stint_part_spec chain[STINT_MAX_PART_DEPTH + 2];
	char names[STINT_MAX_PART_DEPTH + 2][8];
	for (uint32_t i = 0; i < STINT_COUNT(chain); i++) {
		snprintf(names[i], sizeof names[i], "%u", i);
		chain[i] = (struct stint_part_spec){.name = names[i], .parent = i ? i - 1 : 0, .inner = true, .needs = STINT_ALL};
	}
	assert_works(stint_parts_check(chain, STINT_COUNT(chain) - 1, &err));
	assert_fails(stint_parts_check(chain, STINT_COUNT(chain), &err), STINT_USAGE, "deep");
}

static void a_gang_of_which_a_part_must_wait_waits_whole(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	struct tree tree;
	read_tree(&tree, "[*]{a(1) b(1)}");
	add_queue(c, "q", .quota = -1);
	add_node(c, "n0", .gpus = 2);
	add_pod(c, add_group(c, "old", .queue = "q"), "old-0", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	add_pods(c, add_group(c, "g", .queue = "q", .parts = tree.parts, .parts_count = tree.count), "a:1 b:1");
	assert_int_equal(run_cycle(c), 2);
	assert_int_equal(c->last.decisions[0].kind, STINT_DECIDE_RESERVE);
	assert_int_equal(c->last.decisions[1].kind, STINT_DECIDE_RESERVE);
	stint_engine_pod_remove(c->engine, "old-0");
	assert_int_equal(run_cycle(c), 2);
	assert_int_equal(c->last.decisions[0].kind, STINT_DECIDE_BIND);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gangs_start_and_grow_by_their_parts),
		cmocka_unit_test(a_record_names_the_part),
		cmocka_unit_test(pods_keep_their_part_when_the_tree_changes),
		cmocka_unit_test(what_makes_no_tree_is_refused),
		cmocka_unit_test(a_gang_of_which_a_part_must_wait_waits_whole),
	};
	return cmocka_run_group_tests_name("engine: gangs", tests, NULL, NULL);
}
