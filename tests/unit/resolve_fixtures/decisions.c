// Functions whose control flow a compiler cannot turn into arithmetic: every branch calls something unknown.
// A loop has one decision more where the compiler tests it before the first turn as well as after each.
int f(int);
void fatal(void) __attribute__((noreturn));

int straight(int a) {  // complexity: 1
  return f(a) + 1;
}

int one_if(int a) {  // complexity: 2
  if (a) f(1);
  return f(2);
}

int two_exits(int a) {  // complexity: 2
  if (a) return f(1);
  f(3);
  return 4;
}

int if_else_chain(int a) {  // complexity: 4
  if (a == 1) {
    f(10);
  } else if (a == 22) {
    f(11);
  } else if (a == 333) {
    f(12);
  }
  return f(2);
}

int while_loop(int a) {  // complexity: 2 to 3
  while (f(a)) f(a + 1);
  return f(2);
}

int nested_loop(int a) {  // complexity: 3 to 5
  while (f(a)) {
    while (f(a + 1)) f(a + 2);
    f(4);
  }
  return f(2);
}

int both_conditions(int a, int b) {  // complexity: 3
  if (f(a) && f(b)) f(3);
  return f(2);
}

int ends_in_noreturn(int a) {  // complexity: 2
  if (f(a)) fatal();
  return f(2);
}

int tail_call(int a) {  // complexity: 2
  if (a > 5) return f(a);
  return f(a - 1) * 2;
}

// A switch over dense values becomes a jump table: one way for each distinct target, and the guard.
int dense_switch(int a) {  // complexity: 9
  switch (a) {
    case 0:
      f(100);
      break;
    case 1:
      f(57);
      break;
    case 2:
      f(31);
      f(1);
      break;
    case 3:
      f(7);
      break;
    case 4:
      f(91);
      f(2);
      break;
    case 5:
      f(77);
      break;
    case 6:
      f(15);
      f(3);
      break;
    case 7:
      f(42);
      break;
    default:
      break;
  }
  return f(9);
}
