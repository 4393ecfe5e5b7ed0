/* Times compiled functions in turns. It reads one request a line and answers with one line of JSON:

     methods PROBLEM TYPE BATCH               {"methods": ["c", ...]}
     results METHOD PROBLEM TYPE BATCH        {"results": [["0x1p+0", ...], ...]}, some samples of the batch
     time METHOD PROBLEM TYPE BATCH CALLS     {"nanoseconds": 12345}

   and with {"error": "..."} to anything else. The argument is the number of threads that share a batch. */

#define _GNU_SOURCE
#include "driver.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#define relax() __builtin_ia32_pause()
#else
#define relax() ((void)0)
#endif

enum { MAX_THREADS = 64, SHOWN = 16 };

/* A share is the part of a batch that one thread computes, with memory of its own. */
typedef struct {
    long start, n;
    char *x, *y, *jac;
} share;

static int threads = 1;
static share shares[MAX_THREADS];
static const method *current; /* what the shares are filled for */
static long current_batch;

static size_t width(const method *m) { return m->single ? sizeof(float) : sizeof(double); }

static void put(const method *m, char *p, long i, double v) {
    if (m->single) ((float *)p)[i] = (float)v; else ((double *)p)[i] = v;
}

static double get(const method *m, const char *p, long i) {
    return m->single ? ((const float *)p)[i] : ((const double *)p)[i];
}

static void release(void) {
    for (int t = 0; t < MAX_THREADS; t++) {
        free(shares[t].x);
        free(shares[t].y);
        shares[t] = (share){0};
    }
    current = NULL;
}

static char *memory(size_t bytes) {
    void *p;
    if (posix_memalign(&p, 64, bytes + 64)) {
        puts("{\"error\": \"out of memory\"}");
        exit(1);
    }
    memset(p, 0, bytes);
    return p;
}

/* prepare lays out the inputs and room for the results. Two methods of the same layout and problem share them. */
static void prepare(const method *m, long batch) {
    if (current == m && current_batch == batch) return;
    if (current && current_batch == batch && current->points == m->points && current->single == m->single &&
        current->sample_major == m->sample_major && current->entries == m->entries) {
        current = m;
        return;
    }
    release();
    int used = batch < threads ? 1 : threads;
    for (int t = 0; t < used; t++) {
        share *s = &shares[t];
        s->start = batch * t / used;
        s->n = batch * (t + 1) / used - s->start;
        s->x = memory(width(m) * m->inputs * s->n);
        s->y = memory(width(m) * (m->values + m->entries) * s->n);
        s->jac = s->y + width(m) * m->values * (m->sample_major ? 1 : s->n);
        for (long k = 0; k < s->n; k++)
            for (int j = 0; j < m->inputs; j++)
                put(m, s->x, m->sample_major ? k * m->inputs + j : j * s->n + k, m->points[((s->start + k) % POINTS) * m->inputs + j]);
    }
    current = m;
    current_batch = batch;
}

/* Threads wait for a round, then compute their share. Waiting spins: a turn has rounds every few microseconds. */
static atomic_long round_number, finished;
static int waking; /* a round of nothing, which wakes the threads before a turn */

static void *thread(void *arg) {
    const share *s = arg;
    for (long seen = 0;;) {
        for (long spins = 0; atomic_load_explicit(&round_number, memory_order_acquire) == seen; spins++)
            if (spins > 100000) nanosleep(&(struct timespec){0, 20000}, NULL);
        seen++;
        if (s->n && !waking) current->batch(s->n, s->x, s->y, s->jac);
        atomic_fetch_add_explicit(&finished, 1, memory_order_release);
    }
    return NULL;
}

static void compute(void) {
    const method *m = current;
    if (threads == 1 || current_batch < threads) {
        m->batch(shares[0].n, shares[0].x, shares[0].y, shares[0].jac);
        return;
    }
    atomic_store(&finished, 0);
    atomic_fetch_add_explicit(&round_number, 1, memory_order_release);
    if (!waking) m->batch(shares[0].n, shares[0].x, shares[0].y, shares[0].jac);
    while (atomic_load_explicit(&finished, memory_order_acquire) < threads - 1) relax();
}

/* one_by_one takes single samples, going round the points, whose values are made ready in the method's type. */
static char *points_of(const method *m) {
    char *p = memory(width(m) * m->inputs * POINTS);
    for (long i = 0; i < (long)POINTS * m->inputs; i++) put(m, p, i, m->points[i]);
    return p;
}

static void one_by_one(const method *m, const char *points, long calls) {
    size_t stride = width(m) * m->inputs;
    void (*volatile one)(const void *, void *, void *) = m->one;
    void (*f)(const void *, void *, void *) = one;
    for (long i = 0; i < calls; i++) f(points + (i & (POINTS - 1)) * stride, shares[0].y, shares[0].jac);
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long timed(const method *m, long batch, long calls) {
    prepare(m, batch);
    if (batch == 1) {
        char *points = points_of(m);
        long long start = now();
        one_by_one(m, points, calls);
        long long took = now() - start;
        free(points);
        return took;
    }
    if (threads > 1 && batch >= threads) {
        waking = 1;
        compute();
        waking = 0;
    }
    long long start = now();
    for (long i = 0; i < calls; i++) compute();
    return now() - start;
}

static void show(const method *m, long batch) {
    prepare(m, batch);
    if (batch == 1) {
        char *points = points_of(m);
        one_by_one(m, points, 1);
        free(points);
    } else {
        compute();
    }
    int rows = batch < SHOWN ? batch : SHOWN, all = m->values * m->inputs;
    double *jac = malloc(sizeof(double) * (all ? all : 1));
    printf("{\"results\": [");
    for (int r = 0; r < rows; r++) {
        long k = rows > 1 ? r * (batch - 1) / (rows - 1) : 0;
        const share *s = shares;
        while (k >= s->start + s->n) s++;
        k -= s->start;
        printf("%s[", r ? ", " : "");
        for (int i = 0; i < m->values; i++)
            printf("%s\"%a\"", i ? ", " : "", get(m, s->y, m->sample_major ? k * (m->values + m->entries) + i : i * s->n + k));
        memset(jac, 0, sizeof(double) * all);
        for (int i = 0; i < m->entries; i++)
            jac[m->at ? m->at[i] : i] = get(m, s->jac, m->sample_major ? k * (m->values + m->entries) + i : i * s->n + k);
        for (int i = 0; i < all; i++) printf(", \"%a\"", jac[i]);
        printf("]");
    }
    puts("]}");
    free(jac);
}

static const method *find(const char *name, const char *problem, const char *type) {
    for (int i = 0; i < method_count; i++)
        if (!strcmp(methods[i].method, name) && !strcmp(methods[i].problem, problem) && !strcmp(type, methods[i].single ? "float32" : "float64"))
            return &methods[i];
    return NULL;
}

int main(int argc, char **argv) {
    if (argc > 1) threads = atoi(argv[1]);
    if (threads < 1 || threads > MAX_THREADS) return 2;
    for (int t = 1; t < threads; t++) {
        pthread_t id;
        if (pthread_create(&id, NULL, thread, &shares[t])) return 1;
    }
    static char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        char name[128], problem[256], type[16];
        long batch, calls;
        const method *m;
        if (sscanf(line, "methods %255s %15s %ld", problem, type, &batch) == 3 && batch > 0) {
            int n = 0;
            printf("{\"methods\": [");
            for (int i = 0; i < method_count; i++)
                if (find(methods[i].method, problem, type) == &methods[i]) printf("%s\"%s\"", n++ ? ", " : "", methods[i].method);
            puts("]}");
        } else if (sscanf(line, "results %127s %255s %15s %ld", name, problem, type, &batch) == 4 && batch > 0 && (m = find(name, problem, type))) {
            show(m, batch);
        } else if (sscanf(line, "time %127s %255s %15s %ld %ld", name, problem, type, &batch, &calls) == 5 && batch > 0 && calls > 0 && (m = find(name, problem, type))) {
            printf("{\"nanoseconds\": %lld}\n", timed(m, batch, calls));
        } else {
            line[strcspn(line, "\"\\\r\n")] = 0;
            printf("{\"error\": \"cannot do '%s'\"}\n", line);
        }
        fflush(stdout);
    }
    return 0;
}
