"""What trained networks end in, by width: small networks, so that every study takes minutes on one core.

``plan``       what the studies share: one network of a width, data from files, the table's columns of a network
``descent``    double descent by width, with and without wrong labels
``endings``    networks of nearly no training loss: how far they agree, and what lies between them
``descent_more``  the same of a ResNet-18, and by epochs
``success``    how often training fits everything, by width; one wide network against several narrow ones
``readouts``   one wide network against several narrow ones, by training loss
``tickets``    pruned networks, rewound and trained again
``tickets_conv``  the same of convolutional networks
``critical``   Hessian index at critical points, and along training
``escape``     trained networks that are widened
``memorise``   true labels, random ones, altered pictures: how long it takes, and what becomes of decision regions
``adversarial``  the smallest change of an image that alters the answer
"""
