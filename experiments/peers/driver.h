/* What the driver knows of one way to compute Jacobians: one row of the table that the harness prints. */
#ifndef DRIVER_H
#define DRIVER_H

typedef struct {
    const char *method, *problem;
    int single;               /* float, otherwise double */
    int inputs, values;
    int entries;              /* of the Jacobian that are written, rows * inputs if all */
    const int *at;            /* row-major index of each entry; NULL if all are written in that order */
    int sample_major;         /* layout of a batch: sample by sample, values before entries; otherwise variable by variable */
    void (*one)(const void *x, void *y, void *jac);
    void (*batch)(long n, const void *x, void *y, void *jac);
    const double *points;     /* [POINTS][inputs] */
} method;

#define POINTS 256

extern const method methods[];
extern const int method_count;

#endif
