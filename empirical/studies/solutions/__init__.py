"""The solutions that training reaches, by width; networks are small, so that every study takes minutes on one core.

``plan``          shared by the studies: one network of a width, data from files, the columns of a table about a network
``descent``       double descent by width, with and without wrong labels
``descent_more``  the same for a ResNet-18, and by epochs
``endings``       networks of nearly no training loss: how far they agree, and the barriers between them
``success``       how often training fits everything, by width; one wide network against several narrow ones
``readouts``      one wide network against several narrow ones, by training loss
``tickets``       pruned networks, rewound and trained again
``tickets_conv``  the same for convolutional networks
``critical``      Hessian index at critical points
``escape``        trained networks that are widened, and curvature during training
``memorise``      true labels, random labels and altered images: time to fit, and decision regions during training
``adversarial``   smallest change of an image that changes the predicted class
"""
