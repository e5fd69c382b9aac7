# A "module" that calls into another image and into itself.
	.text
	.globl entry
	.type entry, @function
entry:
	call __fentry__
	call helper
	call exported
	ret
	.size entry, .-entry

	.type helper, @function
helper:
	call *%rax
	jmp tail
	.size helper, .-helper

	.type tail, @function
tail:
	ret
	.size tail, .-tail

	.type alone, @function
alone:
	call helper
	ret
	.size alone, .-alone
	.section .note.GNU-stack,"",@progbits
