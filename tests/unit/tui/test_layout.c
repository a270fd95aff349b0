/* Where things stand: at every size nothing lies outside, nothing overlaps, and all of the room is used. */
#include "cli/tui/layout.h"
#include "tests/unit/test.h"

enum { MOST_WIDTH = 400, MOST_HEIGHT = 200 };

static unsigned next_random(unsigned *seed)
{
	return *seed = *seed * 1103515245u + 12345u;
}

/* Marks the cells of a rectangle; each of them must be within the screen and nobody else's. */
static void mark(unsigned char *cells, int width, int height, struct tui_rect rect)
{
	assert_true(rect.y >= 0 && rect.x >= 0 && rect.height > 0 && rect.width > 0);
	assert_true(rect.y + rect.height <= height && rect.x + rect.width <= width);
	for (int y = rect.y; y < rect.y + rect.height; y++) {
		for (int x = rect.x; x < rect.x + rect.width; x++)
			assert_int_equal(cells[y * width + x]++, 0);
	}
}

static void assert_all_used(const unsigned char *cells, int width, int height)
{
	for (int at = 0; at < width * height; at++)
		assert_int_equal(cells[at], 1);
}

static void test_a_frame_uses_the_whole_screen(void **state)
{
	(void)state;
	static unsigned char cells[MOST_WIDTH * MOST_HEIGHT];
	unsigned seed = 1;
	for (int round = 0; round < 300; round++) {
		const int width = TUI_LEAST_WIDTH + (int)(next_random(&seed) >> 8) % (MOST_WIDTH - TUI_LEAST_WIDTH + 1);
		const int height = TUI_LEAST_HEIGHT + (int)(next_random(&seed) >> 8) % (MOST_HEIGHT - TUI_LEAST_HEIGHT + 1);
		struct tui_frame frame;
		memset(cells, 0, sizeof cells);
		assert_true(tui_layout_frame(width, height, &frame));
		mark(cells, width, height, frame.title);
		mark(cells, width, height, frame.status);
		mark(cells, width, height, frame.body);
		mark(cells, width, height, frame.foot);
		assert_all_used(cells, width, height);
	}
}

static void test_panes_of_the_overview_fill_its_body_at_any_size(void **state)
{
	(void)state;
	static unsigned char cells[MOST_WIDTH * MOST_HEIGHT];
	unsigned seed = 7;
	for (int round = 0; round < 1000; round++) {
		const int width = TUI_LEAST_WIDTH + (int)(next_random(&seed) >> 8) % (MOST_WIDTH - TUI_LEAST_WIDTH + 1);
		const int height = TUI_LEAST_HEIGHT - 3 + (int)(next_random(&seed) >> 8) % (MOST_HEIGHT - TUI_LEAST_HEIGHT);
		int wanted[TUI_PANES];
		struct tui_rect rects[TUI_PANES];
		for (int at = 0; at < TUI_PANES; at++)
			wanted[at] = (int)(next_random(&seed) >> 8) % 300;
		memset(cells, 0, sizeof cells);
		tui_layout_overview(width, height, wanted, rects);
		for (int at = 0; at < TUI_PANES; at++)
			mark(cells, width, height, rects[at]);
		assert_all_used(cells, width, height);
	}
}

static void test_below_the_least_size_there_is_no_frame(void **state)
{
	(void)state;
	struct tui_frame frame;
	assert_false(tui_layout_frame(TUI_LEAST_WIDTH - 1, 100, &frame));
	assert_false(tui_layout_frame(200, TUI_LEAST_HEIGHT - 1, &frame));
	assert_false(tui_layout_frame(0, 0, &frame));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_frame_uses_the_whole_screen),
		cmocka_unit_test(test_panes_of_the_overview_fill_its_body_at_any_size),
		cmocka_unit_test(test_below_the_least_size_there_is_no_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
