# The other image.
	.text
	.globl exported
	.type exported, @function
exported:
	testl %edi, %edi
	je deeper
	ret
	.size exported, .-exported

	.type deeper, @function
deeper:
	ret
	.size deeper, .-deeper

	.type unreached, @function
unreached:
	ret
	.size unreached, .-unreached
	.section .note.GNU-stack,"",@progbits
