/* project: a write whose answer is lost on the way leaves nothing behind, whether the server has done it or not. */
#include <stint/workload.h>

#include "tests/unit/workload/world.h"

#define QUEUES "/apis/scheduling.run.ai/v2/queues"

/* A department that keeps the sum of its projects, and a namespace that was there before. */
static const char *const before[][2] = {
	{QUEUES "/research",
		"{\"metadata\":{\"name\":\"research\",\"annotations\":{\"stint.dev/quota\":\"sum\"},\"resourceVersion\":\"1\"},"
		"\"spec\":{\"resources\":{\"gpu\":{\"quota\":0}}}}"},
	{"/api/v1/namespaces/legacy", "{\"metadata\":{\"name\":\"legacy\",\"labels\":{\"stint.dev/project\":\"other\"}}}"},
	{NULL, NULL},
};

static const char *const ada[] = {"ada", NULL};

/* Creates the project with one write lost, and checks that nothing is left of it. Returns how many writes a creation has when none is. */
static int create(const char *name, bool adopt, int lost_write, enum loss loss)
{
	struct world world;
	const struct stint_share share = {.name = name, .department = "research", .gpus = "2", .users = ada};
	world_open(&world, before);
	world.lost_write = lost_write;
	world.loss = loss;
	stint_auto_json *former = stint_json_dup(world.objects);
	stint_auto_error *error = NULL;
	const bool made = stint_project_create(world.api.kube, &share, adopt, &error);
	const int writes = world.writes;
	assert_true(made == (loss == LOSS_NONE));
	if (!made && !stint_json_equal(former, world.objects)) {
		stint_autofree char *left = stint_json_print_pretty(world.objects);
		fail_msg("%s, write %d lost %s the server acted; \"%s\"; it has kept: %s", name, lost_write,
			loss == LOSS_OF_ANSWER ? "after" : "before", error->message, left);
	}
	world_close(&world);
	return writes;
}

static void test_a_lost_answer_leaves_nothing_of_a_project(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool adopt;
	} ways[] = {{"vision", false}, {"legacy", true}};
	for (size_t way = 0; way < STINT_COUNT(ways); way++) {
		const int writes = create(ways[way].name, ways[way].adopt, 0, LOSS_NONE);
		assert_int_equal(writes, 5); /* namespace, two bindings, the department's sum, the Queue */
		for (int lost = 1; lost <= writes; lost++) {
			create(ways[way].name, ways[way].adopt, lost, LOSS_OF_REQUEST);
			create(ways[way].name, ways[way].adopt, lost, LOSS_OF_ANSWER);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lost_answer_leaves_nothing_of_a_project),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
