/* The few calls of CPython that the kernel needs, all of them public and of its stable ABI (PyObject_Vectorcall since
 * 3.12), so that the kernel is compiled without Python's own headers, which a machine with Python need not have.
 * Objects are opaque here.
 *
 * A call that gives an object gives one that is the caller's, or NULL with an exception set. */
#ifndef TIDEGATE_PYTHON_H
#define TIDEGATE_PYTHON_H

#include <stddef.h>

typedef struct _object PyObject;

extern PyObject *PyLong_FromLongLong(long long figure);
extern PyObject *PyBytes_FromStringAndSize(const char *bytes, ptrdiff_t count);
extern PyObject *PyTuple_New(ptrdiff_t count);
extern int PyTuple_SetItem(PyObject *tuple, ptrdiff_t at, PyObject *item); /* takes the item over */
extern PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t count, PyObject *names);
extern PyObject *PyErr_NoMemory(void);
extern void Py_IncRef(PyObject *object);
extern void Py_DecRef(PyObject *object);

#endif
