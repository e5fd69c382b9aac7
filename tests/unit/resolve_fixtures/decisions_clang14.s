# decisions.c as clang 14 -O2 compiles it. Above each function: edges and nodes of its control-flow graph,
# counted by hand with all ways out joined in one more node, and complexity = edges - nodes + 2.

	.text
	.globl	straight
# straight: edges 1, nodes 2: complexity: 1
	.type	straight, @function
straight:
	pushq	%rax
	callq	f@PLT
	addl	$1, %eax
	popq	%rcx
	retq
	.size	straight, .-straight
	.globl	one_if
# one_if: edges 4, nodes 4: complexity: 2
	.type	one_if, @function
one_if:
	testl	%edi, %edi
	je	.LBB1_2
	pushq	%rax
	movl	$1, %edi
	callq	f@PLT
	addq	$8, %rsp
.LBB1_2:
	movl	$2, %edi
	jmp	f@PLT
	.size	one_if, .-one_if
	.globl	two_exits
# two_exits: edges 4, nodes 4: complexity: 2
	.type	two_exits, @function
two_exits:
	testl	%edi, %edi
	je	.LBB2_1
	movl	$1, %edi
	jmp	f@PLT
.LBB2_1:
	pushq	%rax
	movl	$3, %edi
	callq	f@PLT
	movl	$4, %eax
	popq	%rcx
	retq
	.size	two_exits, .-two_exits
	.globl	if_else_chain
# if_else_chain: edges 11, nodes 9: complexity: 4
	.type	if_else_chain, @function
if_else_chain:
	cmpl	$1, %edi
	je	.LBB3_1
	cmpl	$333, %edi
	je	.LBB3_5
	cmpl	$22, %edi
	jne	.LBB3_7
	movl	$11, %edi
	jmp	.LBB3_6
.LBB3_1:
	movl	$10, %edi
	jmp	.LBB3_6
.LBB3_5:
	movl	$12, %edi
.LBB3_6:
	pushq	%rax
	callq	f@PLT
	addq	$8, %rsp
.LBB3_7:
	movl	$2, %edi
	jmp	f@PLT
	.size	if_else_chain, .-if_else_chain
	.globl	while_loop
# while_loop: edges 6, nodes 5: complexity: 3
	.type	while_loop, @function
while_loop:
	pushq	%rbp
	pushq	%rbx
	pushq	%rax
	movl	%edi, %ebx
	callq	f@PLT
	testl	%eax, %eax
	je	.LBB4_3
	leal	1(%rbx), %ebp
.LBB4_2:
	movl	%ebp, %edi
	callq	f@PLT
	movl	%ebx, %edi
	callq	f@PLT
	testl	%eax, %eax
	jne	.LBB4_2
.LBB4_3:
	movl	$2, %edi
	addq	$8, %rsp
	popq	%rbx
	popq	%rbp
	jmp	f@PLT
	.size	while_loop, .-while_loop
	.globl	nested_loop
# nested_loop: edges 9, nodes 7: complexity: 4
	.type	nested_loop, @function
nested_loop:
	pushq	%rbp
	pushq	%r14
	pushq	%rbx
	movl	%edi, %r14d
	callq	f@PLT
	testl	%eax, %eax
	je	.LBB5_5
	leal	1(%r14), %ebp
	leal	2(%r14), %ebx
	jmp	.LBB5_3
.LBB5_2:
	movl	%ebx, %edi
	callq	f@PLT
.LBB5_3:
	movl	%ebp, %edi
	callq	f@PLT
	testl	%eax, %eax
	jne	.LBB5_2
	movl	$4, %edi
	callq	f@PLT
	movl	%r14d, %edi
	callq	f@PLT
	testl	%eax, %eax
	jne	.LBB5_3
.LBB5_5:
	movl	$2, %edi
	popq	%rbx
	popq	%r14
	popq	%rbp
	jmp	f@PLT
	.size	nested_loop, .-nested_loop
	.globl	both_conditions
# both_conditions: edges 6, nodes 5: complexity: 3
	.type	both_conditions, @function
both_conditions:
	pushq	%rbx
	movl	%esi, %ebx
	callq	f@PLT
	testl	%eax, %eax
	je	.LBB6_3
	movl	%ebx, %edi
	callq	f@PLT
	testl	%eax, %eax
	je	.LBB6_3
	movl	$3, %edi
	callq	f@PLT
.LBB6_3:
	movl	$2, %edi
	popq	%rbx
	jmp	f@PLT
	.size	both_conditions, .-both_conditions
	.globl	ends_in_noreturn
# ends_in_noreturn: edges 4, nodes 4: complexity: 2
	.type	ends_in_noreturn, @function
ends_in_noreturn:
	pushq	%rax
	callq	f@PLT
	testl	%eax, %eax
	jne	.LBB7_1
	movl	$2, %edi
	popq	%rax
	jmp	f@PLT
.LBB7_1:
	callq	fatal@PLT
	.size	ends_in_noreturn, .-ends_in_noreturn
	.globl	tail_call
# tail_call: edges 4, nodes 4: complexity: 2
	.type	tail_call, @function
tail_call:
	cmpl	$6, %edi
	jl	.LBB8_1
	jmp	f@PLT
.LBB8_1:
	pushq	%rax
	addl	$-1, %edi
	callq	f@PLT
	addl	%eax, %eax
	popq	%rcx
	retq
	.size	tail_call, .-tail_call
	.globl	dense_switch
# dense_switch: edges 19, nodes 12: complexity: 9
	.type	dense_switch, @function
dense_switch:
	cmpl	$7, %edi
	ja	.LBB9_10
	pushq	%rax
	movl	%edi, %eax
	movl	$100, %edi
	movl	%eax, %eax
	leaq	.LJTI9_0(%rip), %rcx
	movslq	(%rcx,%rax,4), %rax
	addq	%rcx, %rax
	jmpq	*%rax
.LBB9_2:
	movl	$57, %edi
	jmp	.LBB9_9
.LBB9_3:
	movl	$31, %edi
	callq	f@PLT
	movl	$1, %edi
	jmp	.LBB9_9
.LBB9_4:
	movl	$7, %edi
	jmp	.LBB9_9
.LBB9_5:
	movl	$91, %edi
	callq	f@PLT
	movl	$2, %edi
	jmp	.LBB9_9
.LBB9_6:
	movl	$77, %edi
	jmp	.LBB9_9
.LBB9_7:
	movl	$15, %edi
	callq	f@PLT
	movl	$3, %edi
	jmp	.LBB9_9
.LBB9_8:
	movl	$42, %edi
.LBB9_9:
	callq	f@PLT
	addq	$8, %rsp
.LBB9_10:
	movl	$9, %edi
	jmp	f@PLT
	.size	dense_switch, .-dense_switch
	.section	.rodata,"a",@progbits
.LJTI9_0:
	.long	.LBB9_9-.LJTI9_0
	.long	.LBB9_2-.LJTI9_0
	.long	.LBB9_3-.LJTI9_0
	.long	.LBB9_4-.LJTI9_0
	.long	.LBB9_5-.LJTI9_0
	.long	.LBB9_6-.LJTI9_0
	.long	.LBB9_7-.LJTI9_0
	.long	.LBB9_8-.LJTI9_0
	.section	.note.GNU-stack,"",@progbits
