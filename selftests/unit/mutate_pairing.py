#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Takes each rule of kmod/esp/pair/ out, one at a time, and sees that a unit test
fails without it. Prints what no test missed; exit code 1 when those are more than one
in ten, or when a rule is not where it was.

    mutate_pairing.py [WORD]    only mutants whose text has WORD in it
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")

# file, text, what stands there instead
MUTANTS = [
    # rule 1
    ("claims.c", "return c->n_due || c->asking || c->n_unpaired;", "return c->n_due || c->n_unpaired;"),
    ("claims.c", "return c->n_due || c->asking || c->n_unpaired;", "return c->asking || c->n_unpaired;"),
    ("claims.c", "return c->n_due || c->asking || c->n_unpaired;", "return c->n_due || c->asking;"),
    ("claims.c", "if (was && (claim || !is))", "if (was && !is)"),
    ("claims.c", "min_t(u8, c->n_due + 1, PAIR_DUE)", "c->n_due + 1"),
    ("claims.c", "	c->asking = false;\n	pair_open_update(g, c, false);", "	pair_open_update(g, c, false);"),
    ("claims.c", "	c->claim_at[0] = now;\n	c->n_due", "	c->n_due"),
    ("claims.c", "o->n_asked < 2 ? 0 :", ""),
    ("claims.c", "list_move(&c->asks, &g->asks);", ";"),
    ("claims.c", "return !c->ike || was_open", "return was_open"),
    ("claims.c", "was_open(g, c, at) ? 0", "pair_is_open(c) ? 0"),
    ("claims.c", "	if (!c->asking && c->n_due)\n		c->n_due--;\n", ""),
    ("claims.c", "	if (!c->asking && c->n_due)\n", "	if (c->n_due)\n"),
    ("claims.c", "(s32)(c->open_at - at) <= (s32)pair_window_len(&g->window)", "true"),
    ("claims.c", "return pair_is_open(c) &&", "return"),
    ("claims.c", "pair_log2(len + (u32)max_t(s32, age, 0))", "pair_log2(len)"),
    ("claims.c", "-PAIR_LEAD * PAIR_BIT);", "-0x4000);"),
    ("claims.c", "	if (!c->ike)\n		return -PAIR_BIT * (PAIR_LEAD + (was_open(g, c, at) ? 0 : PAIR_SURE));\n", ""),
    ("pair.c", "now - o->seen_at >= PAIR_QUIET_MS", "true"),
    # rule 2
    ("window.c", "w->lo + (x - w->lo) / 16", "w->lo"),
    ("window.c", "w->hi - (w->hi - x) / 16", "w->hi"),
    ("window.c", "(w->hi - w->lo) / 32 + 8", "8"),
    ("window.c", "(w->n ? w->hi / 16 / 4 / w->n : 0)", "0"),
    ("window.c", "return lo > margin(w) ? lo - margin(w) : 0;", "return 0;"),
    ("window.c", "(w->n ? PAIR_THINK_MS : 0)", "0"),
    ("window.c", "(w->n ? PAIR_THINK_MS : 0)", "PAIR_THINK_MS"),
    ("lags.c", "g->window.n ? 0 : ages(g, now)", "ages(g, now)"),
    ("lags.c", "min_t(int, k + few, PAIR_SPANS - 1)", "k"),
    ("lags.c", "if (!s->pin && step", "if (step"),
    ("lags.c", "l->hits[k][at] >= l->n - l->n / 8 &&", ""),
    ("lags.c", "l->hits[k][at] - second >= l->n / 4", "true"),
    ("lags.c", "l->n >= PAIR_LAGS / 4", "true"),
    ("lags.c", "	if (l->n == PAIR_LAGS)\n		fade(l);\n", ""),
    ("lags.c", "		mask |= mask >> (1 << k);\n", ""),
    ("window.c", "age <= pair_window_end(w)", "true"),
    ("pair.c", "gap >= PAIR_QUIET_MS && gap", "gap"),
    ("pair.c", " && gap >= 4u * t->spacing_ms", ""),
    # rule 3
    ("suspects.c", "if (s->score > score)\n			return NULL;", ";"),
    ("suspects.c", "pair_suspect_add(g, t, c);\n	}\n	steps = 0;", ";\n	}\n	steps = 0;"),
    ("suspects.c", "		if (pair_may_own(g, c, t->first_at))\n			pair_suspect_add(g, t, c);", ""),
    ("suspects.c", "	if (g->n_clients == 1)\n		pair_suspect_add", "	if (0)\n		pair_suspect_add"),
    # rule 4
    ("suspects.c", "s->score + pair_log2(ms) - pair_log2(2 * len)", "s->score + PAIR_BIT"),
    ("suspects.c", "	if (ms <= 2 * len)\n		return;\n", ""),
    ("suspects.c", "	if (t->every_ms)\n		ms = min_t(u32, ms, t->every_ms);\n	return", "	return"),
    ("suspects.c", "if (o && s->asked_at == at)", "if (false)"),
    ("suspects.c", "before && before->every_ms ? before->every_ms : c->every_ms", "c->every_ms"),
    ("suspects.c", "(!before || o == before)", "true"),
    ("suspects.c", "pair_is_answer(&g->window, c->asked_at, now)", "true"),
    ("suspects.c", "	if (o) {\n", "	if (false) {\n"),
    ("suspects.c", "ms = min_t(u32, ms, PAIR_VARY * o->vary_ms);", ";"),
    ("suspects.c", "lose(g, t, s, PAIR_BIT + pair_log2(ms - len) - pair_log2(ms));", ";"),
    ("suspects.c", "max_t(s16, s->score - bits, min_t(s16, s->score, floor))", "s->score - bits"),
    ("suspects.c", "now - c->asked_at < PAIR_RECENT_MS", "true"),
    ("suspects.c", "#define SCORE_MAX	((PAIR_SURE + PAIR_LEAD) * PAIR_BIT)", "#define SCORE_MAX 0x4000"),
    ("suspects.c", "	leave(g, t);\n", ""),
    # rule 5
    ("lead.c", "ahead < PAIR_LEAD * PAIR_BIT", "ahead <= 0"),
    ("lead.c", "ahead >= PAIR_SURE * PAIR_BIT &&", ""),
    ("lead.c", "return t->twice;", "return true;"),
    ("lead.c", "	if (g->n_clients == 1)\n		return t->twice;\n", ""),
    ("lead.c", "s->n_answers < PAIR_PROOF", "!s->n_answers"),
    ("lead.c", "	if (s->n_answers < PAIR_PROOF)\n		return false;\n", ""),
    ("lead.c", "	close_question(t, best);", "	;"),
    ("suspects.c", "(!o->answered_by[i] || o->answered_by[i] == spi)", "true"),
    ("claims.c", "o->answered_by[0] = 0;", ";"),
    ("lead.c", "return c->n_lead <= max_t(u16, c->n_due, c->n_unpaired) ||", "return true ||"),
    ("lead.c", "	if (c->n_due)\n		c->n_due--;", ""),
    ("pair.c", "pair_add_in(g, t->owner, spi, now, act);", ";"),
    # rule 6
    ("deliver.c", "bool few = g->n_clients <= PAIR_SUSPECTS", "bool few = false"),
    ("deliver.c", "most = alone ? min_t(u32, most, PAIR_SUSPECTS) : 1;", ";"),
    ("deliver.c", "most = alone ? min_t(u32, most, PAIR_SUSPECTS) : 1;", "most = 1;"),
    ("deliver.c", "(alone ? PAIR_SHARE : PAIR_BURST)", "PAIR_SHARE"),
    ("deliver.c", "min_t(u32, most, g->cfg->copies)", "most"),
    ("deliver.c", "g->tokens -= (act->n_to - 1) * 1000;", ";"),
    ("deliver.c", "g->tokens + ms * g->cfg->rate", "g->tokens"),
    ("deliver.c", "		t->turn = next_turn(g, t);\n	}\n", "	}\n"),
    ("deliver.c", "	give_suspects(g, act, t,", "	if (0)\n		give_suspects(g, act, t,"),
    ("deliver.c", "t->owner || g->cfg->strict", "t->owner"),
    # rule 7
    ("review.c", "if (++o->n_good >= PAIR_PROOF)", "if (++o->n_good >= 1)"),
    ("review.c", "	} else if (++o->n_vain >= PAIR_PROOF) {", "	} else if (++o->n_vain >= 1) {"),
    ("review.c", "	} else if (++o->n_vain >= PAIR_PROOF) {", "	} else if (false) {"),
    ("review.c", "s->score = PAIR_LEAD * PAIR_BIT;", "s->score = 0;"),
    ("review.c", "		only_client(g, o);", "		;"),
    ("review.c", "(only || (!question", "((!question"),
    ("review.c", "now - o->asked_at[0] >= PAIR_RECENT_MS)", "true)"),
    ("review.c", "now - o->asked_at[0] >= PAIR_RECENT_MS)", "false)"),
    ("review.c", "if (pair_in_window(&g->window, asked_at, READ_ONCE(*in->s.last)))", "if (false)"),
    ("review.c", "if (pair_in_window(&g->window, asked_at, READ_ONCE(*in->s.last)))", "if (true)"),
    ("review.c", "(u32)PAIR_RECENT_MS << in->n_looks", "0"),
    ("review.c", "c->n_lead || was_answered(g, c, asked_at)", "c->n_lead"),
    ("review.c", "	if (c->n_vain < PAIR_PROOF)\n		return;", ""),
    ("review.c", "		company(g, now, act);", "		;"),
    ("review.c", "if (now - g->joined_at >= PAIR_RECENT_MS)", "if (true)"),
    ("review.c", "in->alone && g", "g"),
    ("review.c", "g->joined_at - in->since < PAIR_RECENT_MS", "true"),
    ("review.c", "		act->unpin[act->n_unpin++] = out;", "		;"),
    # rule 8
    ("room.c", "{ &g->free, &g->done, &g->once, &g->live }", "{ &g->free, &g->live, &g->once, &g->done }"),
    ("room.c", "t->owner ? &g->done : t->twice ? &g->live : &g->once", "&g->once"),
    ("room.c", "	pair_room_free(g, t);\n	t->spi = spi;", "	t->spi = spi;"),
    ("lead.c", "(in ? c->n_in : c->n_out) >= g->cfg->spis", "false"),
    ("lead.c", "(full ? PAIR_RECENT_MS : g->cfg->idle_ms)", "0"),
    ("lead.c", "(full ? PAIR_RECENT_MS : g->cfg->idle_ms)", "PAIR_RECENT_MS"),
    ("pair.c", "pair_room_add(g, &o->room);", "INIT_LIST_HEAD(&o->room.node);"),
    ("pair.c", "if (t && (t->owner || (t->lead && t->lead != c)))", "if (false)"),
    ("pair.c", "	if (t)\n		pair_room_free(g, t);\n	return pair_add_in", "	return pair_add_in"),
    ("pair.c", "	pair_room_forget(g, c);\n", ""),
]


def killed(tree, work):
    """Whether the tests fail with the policy in tree."""
    binary = os.path.join(work, "test")
    sources = [os.path.join(tree, "esp/pair", f) for f in sorted(os.listdir(tree + "/esp/pair"))
               if f.endswith(".c")]
    cc = [os.environ.get("CC", "cc"), "-O1", "-std=gnu11", "-w", "-I" + tree,
          "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-o", binary,
          os.path.join(HERE, "test_pairing.c")]
    subprocess.run(cc + sources, check=True)
    try:
        run = subprocess.run([binary], capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return True
    return run.returncode != 0


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    lives, missing, n = [], [], 0
    with tempfile.TemporaryDirectory() as work:
        tree = os.path.join(work, "kmod")
        shutil.copytree(os.path.join(TOP, "kmod/esp/pair"), tree + "/esp/pair")
        shutil.copy(os.path.join(TOP, "kmod/pure.h"), tree)
        if killed(tree, work):
            sys.exit("mutate_pairing: the tests fail as it is")
        for name, old, new in MUTANTS:
            if word not in old:
                continue
            path = os.path.join(tree, "esp/pair", name)
            with open(path) as f:
                text = f.read()
            if text.count(old) != 1:
                missing.append((name, old, text.count(old)))
                continue
            n += 1
            with open(path, "w") as f:
                f.write(text.replace(old, new))
            if not killed(tree, work):
                lives.append((name, old, new))
            with open(path, "w") as f:
                f.write(text)
    for m in missing:
        print("not there once:", *m)
    for m in lives:
        print("no test misses:", *m)
    print(f"{n - len(lives)} of {n} killed")
    return 1 if missing or 10 * len(lives) > n else 0


if __name__ == "__main__":
    sys.exit(main())
